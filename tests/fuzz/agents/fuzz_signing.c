/* Whoever serves a list may send anything as its signature: it is read within its bytes, and never
 * believed without the key. The first line is a public key. */
#include "agents/instances/signing.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char text[] = "{\"v\": 1}";
	char *input = xmalloc(size + 1), *signature;
	struct signing_public public;
	struct signing_secret secret;

	memcpy(input, data, size);
	input[size] = '\0';
	(void)signing_secret_read(input, &secret);
	signature = strchr(input, '\n');
	if (signature != NULL) {
		*signature++ = '\0';
		if (!signing_public_read(input, &public))
			memset(&public, 1, sizeof(public));
		(void)signing_check_detached(&public, text, strlen(text), signature);
		(void)signing_check_minisign(&public, text, strlen(text), signature);
	}
	free(input);
	return 0;
}
