/* foreign_token: any claims, signed by a site that is trusted; and the same bytes as a token. */
#include "services/auth/federation/foreign_token.h"

#include <string.h>

#define CLAIMS_MAX 3000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check(const struct foreign_token *token)
{
	if (*token->user_id == '\0' || *token->auth_key == '\0' ||
		strlen(token->user_id) > FOREIGN_TOKEN_TEXT_MAX)
		BUG("somebody without a name was taken");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const unsigned char seed[crypto_sign_SEEDBYTES] = "one of a site that is trusted";
	unsigned char secret[crypto_sign_SECRETKEYBYTES], bytes[crypto_sign_BYTES + CLAIMS_MAX];
	AUTO_ARENA arena = arena_create();
	char text[sizeof(bytes) * 2];
	struct foreign_token token;
	struct foreign_key key;

	if (len > CLAIMS_MAX)
		return 0;
	crypto_sign_seed_keypair(key.bytes, secret, seed);
	crypto_sign_detached(bytes, NULL, data, len, secret);
	memcpy(bytes + crypto_sign_BYTES, data, len);
	sodium_bin2base64(text, sizeof(text), bytes, crypto_sign_BYTES + len,
		sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	if (foreign_token_read(arena, text, &key, 1, &token))
		check(&token);
	if (foreign_token_read(
		    arena, arena_strndup(arena, (const char *)data, len), &key, 1, &token))
		BUG("a token that nobody has signed was taken");
	return 0;
}
