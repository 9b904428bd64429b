/*
 * auth_alone: what a second of processor does of the two things that signing in is made of: checks
 * of access tokens as a node makes them, beside the bare signature; and argon2id as auth asks for
 * it.
 *
 * usage: auth_alone SECONDS
 * Prints: tokens/s, signatures/s, passwords/s.
 */
#include "lib/mem.h"
#include "lib/token.h"

#include <sodium.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ISSUER	 "lanyard"
#define NOW	 1700000000
#define PASSWORD "correct horse battery staple"
#define MEMORY	 (19 * 1024 * 1024) /* as services/auth/password.c */
#define PASSES	 2
#define BATCH	 64

static struct {
	struct token_keys *keys;
	char *token;
	unsigned char public[crypto_sign_PUBLICKEYBYTES], secret[crypto_sign_SECRETKEYBYTES];
	unsigned char signature[crypto_sign_BYTES];
	char hash[crypto_pwhash_STRBYTES];
} work;

static void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "auth_alone: %s failed\n", what);
	exit(EXIT_FAILURE);
}

static void prepare(void)
{
	struct token_claims claims = { .issued_at = NOW, .expires_at = NOW + 600 };
	AUTO_FREE char *private_jwk = NULL, *public_jwk = NULL, *set = NULL;

	must(sodium_init() >= 0, "libsodium");
	strcpy(claims.id, "018f0000-0000-7000-8000-000000000001");
	strcpy(claims.tenant, "018f0000-0000-7000-8000-000000000002");
	strcpy(claims.subject, "device:018f0000-0000-7000-8000-000000000003");
	strcpy(claims.role, "device");
	strcpy(claims.network, "018f0000-0000-7000-8000-000000000004");
	strcpy(claims.member, "018f0000-0000-7000-8000-000000000005");
	strcpy(claims.mac, "02:00:00:00:00:01");
	strcpy(claims.ipv4, "10.77.0.2");
	must(token_key_generate("k1", &private_jwk, &public_jwk) == OK, "a key");
	set = xasprintf("{\"keys\":[%s]}", public_jwk);
	must(token_keys_create(&work.keys, set) == OK, "the key set");
	must(token_sign(private_jwk, ISSUER, &claims, &work.token) == OK, "a token");
	crypto_sign_keypair(work.public, work.secret);
	crypto_sign_detached(
		work.signature, NULL, (unsigned char *)work.token, strlen(work.token), work.secret);
	must(crypto_pwhash_str_alg(work.hash, PASSWORD, strlen(PASSWORD), PASSES, MEMORY,
		     crypto_pwhash_ALG_ARGON2ID13) == 0,
		"argon2id");
}

static void check_token(void)
{
	struct token_claims claims;

	must(token_verify(work.keys, work.token, strlen(work.token), ISSUER, NOW, &claims) == OK,
		"a check of a token");
}

static void check_signature(void)
{
	must(crypto_sign_verify_detached(work.signature, (unsigned char *)work.token,
		     strlen(work.token), work.public) == 0,
		"a check of a signature");
}

static void check_password(void)
{
	must(crypto_pwhash_str_verify(work.hash, PASSWORD, strlen(PASSWORD)) == 0,
		"a check of a password");
}

static double rate(void (*one)(void), int batch, double seconds)
{
	clock_t start = clock(), used;
	long n = 0;

	do {
		for (int i = 0; i < batch; i++, n++)
			one();
		used = clock() - start;
	} while (used < (clock_t)(seconds * CLOCKS_PER_SEC));
	return (double)n * CLOCKS_PER_SEC / (double)used;
}

int main(int argc, char **argv)
{
	double seconds = argc == 2 ? strtod(argv[1], NULL) : 0;
	double tokens, signatures;

	if (seconds <= 0) {
		fprintf(stderr, "usage: auth_alone SECONDS\n");
		return 2;
	}
	prepare();
	tokens = rate(check_token, BATCH, seconds);
	signatures = rate(check_signature, BATCH, seconds);
	printf("%.1f %.1f %.1f\n", tokens, signatures, rate(check_password, 1, seconds));
	token_keys_destroy(work.keys);
	free(work.token);
	return EXIT_SUCCESS;
}
