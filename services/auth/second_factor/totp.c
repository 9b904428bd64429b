/* totp: see totp.h. */
#include "services/auth/second_factor/totp.h"

#include "lib/mem.h"

#include <liboath/oath.h>
#include <sodium.h>

#include <string.h>

#define STEP_S	   30
#define DIGITS	   6
#define SECRET_MIN 16
#define SECRET_MAX 32

/* The bytes of a secret, from malloc; NULL if it is none. */
static char *decode(const char *text, size_t *len)
{
	size_t text_len = strnlen(text, SECRET_MAX + 1);
	char *bytes = NULL;

	if (text_len < SECRET_MIN || text_len > SECRET_MAX ||
		strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") != text_len ||
		oath_base32_decode(text, text_len, &bytes, len) != OATH_OK)
		return NULL;
	return bytes;
}

bool totp_is_secret(const char *text)
{
	size_t len;
	AUTO_FREE char *bytes = decode(text, &len);

	return bytes != NULL;
}

bool totp_is_code(const char *text)
{
	return strspn(text, "0123456789") == DIGITS && text[DIGITS] == '\0';
}

static bool is_code_of(const char *secret, size_t len, long long step, const char code[DIGITS + 1])
{
	char right[DIGITS + 1];

	if (oath_totp_generate(secret, len, (time_t)(step * STEP_S), STEP_S,
		    OATH_TOTP_DEFAULT_START_TIME, DIGITS, right) != OATH_OK)
		BUG("liboath makes no code");
	return sodium_memcmp(right, code, DIGITS) == 0;
}

bool totp_match(const char *secret, long long now_s, const char *code, long long *step)
{
	size_t len = 0;
	AUTO_FREE char *bytes = decode(secret, &len);
	long long now = now_s / STEP_S;
	bool found = false;

	if (bytes == NULL || !totp_is_code(code))
		return false;
	for (long long at = now - 1; !found && at <= now + 1; at++) {
		found = is_code_of(bytes, len, at, code);
		*step = found ? at : *step;
	}
	sodium_memzero(bytes, len);
	return found;
}
