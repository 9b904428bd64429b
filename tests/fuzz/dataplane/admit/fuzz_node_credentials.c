/*
 * Any Authorization header: what is taken out of it is in bounds, and of the form that is promised.
 */
#include "dataplane/admit/credentials.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct credentials credentials;
	char *header = malloc(len + 1);

	memcpy(header, data, len);
	header[len] = '\0';
	credentials_parse(header, &credentials);
	switch (credentials.kind) {
	case CREDENTIALS_BEARER:
		if (credentials.token < header ||
			credentials.token + credentials.token_len != header + strlen(header) ||
			credentials.token_len > TOKEN_MAX)
			abort();
		break;
	case CREDENTIALS_BASIC:
		if (strlen(credentials.device) != UUID_SIZE - 1 || *credentials.secret == '\0' ||
			strlen(credentials.secret) > CREDENTIALS_SECRET_MAX)
			abort();
		break;
	default:
		break;
	}
	free(header);
	return 0;
}
