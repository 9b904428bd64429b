/*
 * Tokens and key sets from strangers. The first byte says what the rest is: a key set, a whole
 * token, or the claims of a token with a right header and signature, so that what lies behind those
 * is reached.
 */
#include "lib/mem.h"
#include "lib/token.h"
#include "tests/token_forge.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_keys(const uint8_t *data, size_t size)
{
	AUTO_FREE char *text = xcalloc(1, size + 1);
	struct token_keys *keys = NULL;

	memcpy(text, data, size);
	if (token_keys_create(&keys, text) == OK)
		token_keys_destroy(keys);
}

static void try_token(const struct token_keys *keys, const char *token, size_t len)
{
	struct token_claims claims;

	if (token_verify(keys, token, len, "lanyard", 1800000000, &claims) != OK)
		return;
	if (claims.n_scopes > TOKEN_SCOPES_MAX || strlen(claims.tenant) != 36 ||
		claims.subject[0] == '\0')
		BUG("claims were taken unchecked");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct token_keys *keys;
	static struct forge forge;
	char token[TOKEN_MAX];

	if (keys == NULL) {
		forge_init(&forge);
		if (token_keys_create(&keys, forge.jwks) != OK)
			BUG("the test's own keys");
	}
	if (size == 0)
		return 0;
	if (data[0] == 'k')
		try_keys(data + 1, size - 1);
	else if (data[0] == 't')
		try_token(keys, (const char *)data + 1, size - 1);
	else
		try_token(keys, token,
			forge_token(&forge, FORGE_HEADER, strlen(FORGE_HEADER), data + 1, size - 1,
				token, sizeof(token)));
	return 0;
}
