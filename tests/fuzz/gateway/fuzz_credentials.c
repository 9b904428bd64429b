/* credentials: any Authorization header. */
#include "gateway/credentials.h"

#include "lib/mem.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct credentials credentials;
	struct call call;
	char *header;

	call_init(&call, NULL, "", 1000);
	header = arena_strndup(call.arena, (const char *)data, len);
	if (credentials_parse(&call, header, &credentials) == OK) {
		if (credentials.kind == CREDENTIALS_NONE || credentials.secret == NULL)
			BUG("a header was taken that says nothing");
		if (strlen(credentials.secret) > len)
			BUG("a secret is longer than its header");
	}
	call_finish(&call);
	return 0;
}
