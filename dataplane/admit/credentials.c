/*
 * credentials: RFC 6750 (Bearer) and RFC 7617 (Basic), with a device's UUID as the user.
 */
#include "dataplane/admit/credentials.h"

#include "lib/base64.h"

#include <sodium.h>

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define UUID_LEN (UUID_SIZE - 1)

/* What follows the scheme and its blanks; NULL if the header has another scheme. */
static const char *after_scheme(const char *header, const char *scheme)
{
	size_t len = strlen(scheme);

	if (strncasecmp(header, scheme, len) != 0 || header[len] != ' ')
		return NULL;
	return header + len + strspn(header + len, " ");
}

bool credentials_uuid(const char *text, char out[UUID_SIZE])
{
	for (size_t i = 0; i < UUID_LEN; i++) {
		bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;

		if (hyphen ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
			return false;
		out[i] = (char)tolower((unsigned char)text[i]);
	}
	out[UUID_LEN] = '\0';
	return true;
}

/* Fills device and secret from "UUID:SECRET" of `len` bytes. */
static bool basic_split(const char *text, size_t len, struct credentials *credentials)
{
	size_t secret_len;

	if (len <= UUID_LEN + 1 || text[UUID_LEN] != ':' || memchr(text, '\0', len))
		return false;
	secret_len = len - UUID_LEN - 1;
	if (secret_len > CREDENTIALS_SECRET_MAX || !credentials_uuid(text, credentials->device))
		return false;
	memcpy(credentials->secret, text + UUID_LEN + 1, secret_len);
	credentials->secret[secret_len] = '\0';
	return true;
}

static bool basic_parse(const char *base64, struct credentials *credentials)
{
	char text[UUID_LEN + 1 + CREDENTIALS_SECRET_MAX];
	size_t len;
	bool parsed;

	parsed = base64_decode(base64, strlen(base64), sodium_base64_VARIANT_ORIGINAL, text,
			 sizeof(text), &len) &&
		 basic_split(text, len, credentials);
	sodium_memzero(text, sizeof(text));
	return parsed;
}

void credentials_parse(const char *header, struct credentials *credentials)
{
	const char *value;

	*credentials = (struct credentials){ .kind = CREDENTIALS_BAD };
	if (*header == '\0') {
		credentials->kind = CREDENTIALS_NONE;
	} else if ((value = after_scheme(header, "Bearer"))) {
		credentials->token = value;
		credentials->token_len = strlen(value);
		if (credentials->token_len > 0 && credentials->token_len <= TOKEN_MAX)
			credentials->kind = CREDENTIALS_BEARER;
	} else if ((value = after_scheme(header, "Basic")) && basic_parse(value, credentials)) {
		credentials->kind = CREDENTIALS_BASIC;
	}
}
