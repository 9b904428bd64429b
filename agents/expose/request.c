/* request: see request.h. */
#include "agents/expose/request.h"

#include "agents/state.h"

#include "lib/mem.h"
#include "lib/tls_token.h"

#define FILE_NAME "request.pem"

err_t request_write(
	const char *folder, const char *name, const char *pkcs11, char **file, struct fault *fault)
{
	AUTO_FREE char *place = xasprintf("%s/%s", folder, name);
	AUTO_FREE char *below = xasprintf("*.%s", name);
	const char *const names[] = { name, below };
	AUTO_FREE char *text = NULL;
	err_t err = tls_token_request(pkcs11, names, ARRAY_LEN(names), &text, fault);

	if (err == OK && (err = state_make_folder(place, fault)) == OK)
		err = state_write_file(place, FILE_NAME, text, fault);
	if (err == OK)
		*file = xasprintf("%s/" FILE_NAME, place);
	return err;
}
