/*
 * token_forge: makes tokens that nobody should accept, signed with a key that the test owns. For
 * the tests and the fuzz target of lib/token.
 */
#pragma once

#include <sodium.h>

#include <stdio.h>
#include <string.h>

#define FORGE_KEY_ID "k1"
#define FORGE_HEADER "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"k1\"}"
#define FORGE_BASE64 sodium_base64_VARIANT_URLSAFE_NO_PADDING

struct forge {
	unsigned char public[crypto_sign_PUBLICKEYBYTES];
	unsigned char secret[crypto_sign_SECRETKEYBYTES];
	char jwks[256]; /* the key set with its public key */
};

/* Always the same key. */
static inline void forge_init(struct forge *forge)
{
	static const unsigned char seed[crypto_sign_SEEDBYTES] = "a seed for tests and nothing els";
	char x[sodium_base64_ENCODED_LEN(crypto_sign_PUBLICKEYBYTES, FORGE_BASE64)];

	crypto_sign_seed_keypair(forge->public, forge->secret, seed);
	sodium_bin2base64(x, sizeof(x), forge->public, sizeof(forge->public), FORGE_BASE64);
	snprintf(forge->jwks, sizeof(forge->jwks),
		"{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"%s\",\"x\":\"%s\"}]}",
		FORGE_KEY_ID, x);
}

/* Signs whatever header and claims; returns the token's length, 0 if `out` is too small. */
static inline size_t forge_token(const struct forge *forge, const void *header, size_t header_len,
	const void *claims, size_t claims_len, char *out, size_t size)
{
	unsigned char signature[crypto_sign_BYTES];
	size_t len;

	if (sodium_base64_encoded_len(header_len, FORGE_BASE64) +
			sodium_base64_encoded_len(claims_len, FORGE_BASE64) +
			sodium_base64_encoded_len(sizeof(signature), FORGE_BASE64) >
		size)
		return 0;
	sodium_bin2base64(out, size, header, header_len, FORGE_BASE64);
	len = strlen(out);
	out[len++] = '.';
	sodium_bin2base64(out + len, size - len, claims, claims_len, FORGE_BASE64);
	len += strlen(out + len);
	crypto_sign_detached(signature, NULL, (unsigned char *)out, len, forge->secret);
	out[len++] = '.';
	sodium_bin2base64(out + len, size - len, signature, sizeof(signature), FORGE_BASE64);
	return len + strlen(out + len);
}
