/* code: see code.h. The digits are Crockford's base 32. 80 bits need no slow hash. */
#include "services/provision/claim/code.h"

#include <sodium.h>

#include <stdbool.h>
#include <string.h>

static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

const char *claim_code_new(struct arena *arena)
{
	unsigned char random[CLAIM_CODE_LEN];
	char *text = arena_alloc(arena, CLAIM_CODE_LEN + CLAIM_CODE_LEN / 4);
	char *end = text;

	randombytes_buf(random, sizeof(random));
	for (size_t i = 0; i < CLAIM_CODE_LEN; i++) {
		if (i > 0 && i % 4 == 0)
			*end++ = '-';
		*end++ = digits[random[i] % 32];
	}
	*end = '\0';
	return text;
}

static char canonical(char letter)
{
	if (letter >= 'a' && letter <= 'z')
		letter = (char)(letter - 'a' + 'A');
	if (letter == 'O')
		return '0';
	return letter == 'I' || letter == 'L' ? '1' : letter;
}

static bool read_code(const char *text, char code[CLAIM_CODE_LEN + 1])
{
	size_t len = 0;

	for (; *text != '\0'; text++) {
		char letter = canonical(*text);

		if (letter == '-' || letter == ' ')
			continue;
		if (len == CLAIM_CODE_LEN || strchr(digits, letter) == NULL)
			return false;
		code[len++] = letter;
	}
	code[len] = '\0';
	return len == CLAIM_CODE_LEN;
}

const char *claim_code_digest(struct arena *arena, const char *serial, const char *code)
{
	unsigned char digest[crypto_generichash_BYTES];
	char *hex = arena_alloc(arena, 2 * sizeof(digest) + 1);
	char plain[CLAIM_CODE_LEN + 1];
	crypto_generichash_state state;

	if (!read_code(code, plain))
		return NULL;
	crypto_generichash_init(&state, NULL, 0, sizeof(digest));
	crypto_generichash_update(&state, (const unsigned char *)plain, CLAIM_CODE_LEN);
	crypto_generichash_update(&state, (const unsigned char *)serial, strlen(serial));
	crypto_generichash_final(&state, digest, sizeof(digest));
	sodium_memzero(plain, sizeof(plain));
	return sodium_bin2hex(hex, 2 * sizeof(digest) + 1, digest, sizeof(digest));
}
