/*
 * id_token: tokens that are made here with cjose, good ones of both algorithms, and all that makes
 * one bad.
 */
#include "services/auth/provider/id_token.h"

#include "lib/mem.h"

#include <cjose/cjose.h>
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW 1800000000

struct key {
	cjose_jwk_t *jwk;
	char jwks[8192]; /* the set of its public part */
};

static struct call call;

static void setup(void)
{
	call_init(&call, NULL, "service:test", 1000);
}

static void teardown(void)
{
	call_finish(&call);
}

TestSuite(id_token, .init = setup, .fini = teardown);

static void key_make(struct key *key, cjose_jwk_t *jwk, const char *kid)
{
	cjose_err error;
	char *json;

	cr_assert(jwk != NULL && cjose_jwk_set_kid(jwk, kid, strlen(kid), &error));
	json = cjose_jwk_to_json(jwk, false, &error);
	key->jwk = jwk;
	snprintf(key->jwks, sizeof(key->jwks), "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"},%s]}",
		json);
	free(json);
}

static void rsa(struct key *key, const char *kid)
{
	cjose_err error;

	key_make(key, cjose_jwk_create_RSA_random(2048, NULL, 0, &error), kid);
}

static void ec(struct key *key, const char *kid)
{
	cjose_err error;

	key_make(key, cjose_jwk_create_EC_random(CJOSE_JWK_EC_P_256, &error), kid);
}

static const char *sign(
	cjose_jwk_t *jwk, const char *algorithm, const char *kid, const char *claims)
{
	cjose_err error;
	cjose_header_t *header = cjose_header_new(&error);
	const char *text, *copy;
	cjose_jws_t *jws;

	cr_assert(cjose_header_set(header, CJOSE_HDR_ALG, algorithm, &error));
	if (kid != NULL)
		cr_assert(cjose_header_set(header, CJOSE_HDR_KID, kid, &error));
	jws = cjose_jws_sign(jwk, header, (const uint8_t *)claims, strlen(claims), &error);
	cr_assert(jws != NULL && cjose_jws_export(jws, &text, &error));
	copy = arena_strdup(call.arena, text);
	cjose_jws_release(jws);
	cjose_header_release(header);
	return copy;
}

static const struct id_token_wanted wanted = {
	.issuer = "https://id.example",
	.client_id = "lanyard",
	.nonce = "n-1",
	.user_claim = "preferred_username",
	.group_claim = "groups",
	.now = NOW,
};

#define REST "\"exp\":1800000300,\"iat\":1799999990,\"nonce\":\"n-1\""
#define GOOD                                                                                       \
	"{\"iss\":\"https://id.example\",\"sub\":\"u1\",\"aud\":\"lanyard\"," REST                 \
	",\"preferred_username\":\"zoe\",\"groups\":[\"staff\",7,\"vpn\"]}"

Test(id_token, good_ones_of_both_algorithms_are_read)
{
	static const char *const algorithms[] = { "RS256", "ES256" };
	struct key keys[2];
	struct id_token token;

	rsa(&keys[0], "a");
	ec(&keys[1], "b");
	for (size_t i = 0; i < ARRAY_LEN(algorithms); i++) {
		const char *kids[] = { i == 0 ? "a" : "b", NULL };

		for (size_t j = 0; j < ARRAY_LEN(kids); j++) {
			const char *text = sign(keys[i].jwk, algorithms[i], kids[j], GOOD);

			cr_assert_eq(id_token_read(&call, text, keys[i].jwks, &wanted, &token), OK,
				"%s", call.fault.detail);
			cr_assert_str_eq(token.subject, "u1");
			cr_assert_str_eq(token.user, "zoe");
			cr_assert_eq(token.n_groups, 2);
			cr_assert_str_eq(token.groups[1], "vpn");
		}
		cjose_jwk_release(keys[i].jwk);
	}
}

#define CLAIMS(iss, sub, aud, rest)                                                                \
	"{\"iss\":\"" iss "\",\"sub\":\"" sub "\",\"aud\":" aud "," rest "}"

Test(id_token, claims_that_are_not_as_they_must_be)
{
	static const struct {
		const char *claims;
		err_t want;
	} rows[] = {
		{ CLAIMS("https://id.example", "u", "\"lanyard\"", REST), OK },
		{ CLAIMS("https://id.example", "u", "[\"lanyard\"]", REST), OK },
		{ CLAIMS("https://id.example", "u", "[\"x\",\"lanyard\"]",
			  REST ",\"azp\":\"lanyard\""),
			OK },
		{ CLAIMS("https://id.example", "u", "[\"x\",\"lanyard\"]", REST),
			ERR_UNAUTHENTICATED },
		{ CLAIMS("https://id.example", "u", "\"lanyard\"", REST ",\"azp\":\"x\""),
			ERR_UNAUTHENTICATED },
		{ CLAIMS("https://id.example/", "u", "\"lanyard\"", REST), ERR_UNAUTHENTICATED },
		{ CLAIMS("https://id.example", "u", "\"lanyard2\"", REST), ERR_UNAUTHENTICATED },
		{ CLAIMS("https://id.example", "u", "[]", REST), ERR_UNAUTHENTICATED },
		{ CLAIMS("https://id.example", "u", "{}", REST), ERR_UNAUTHENTICATED },
		{ CLAIMS("https://id.example", "", "\"lanyard\"", REST), ERR_UNAUTHENTICATED },
		{ CLAIMS("https://id.example", "u", "\"lanyard\"",
			  "\"exp\":1799999940,\"iat\":1799999000,\"nonce\":\"n-1\""),
			ERR_UNAUTHENTICATED },
		{ CLAIMS("https://id.example", "u", "\"lanyard\"",
			  "\"exp\":1800000300,\"iat\":1800000061,\"nonce\":\"n-1\""),
			ERR_UNAUTHENTICATED },
		{ CLAIMS("https://id.example", "u", "\"lanyard\"",
			  "\"exp\":\"1800000300\",\"iat\":1799999990,\"nonce\":\"n-1\""),
			ERR_UNAUTHENTICATED },
		{ CLAIMS("https://id.example", "u", "\"lanyard\"",
			  "\"iat\":1799999990,\"nonce\":\"n-1\""),
			ERR_UNAUTHENTICATED },
		{ CLAIMS("https://id.example", "u", "\"lanyard\"",
			  "\"exp\":1800000300,\"iat\":1799999990,\"nonce\":\"n-2\""),
			ERR_UNAUTHENTICATED },
		{ CLAIMS("https://id.example", "u", "\"lanyard\"",
			  "\"exp\":1800000300,\"iat\":1799999990"),
			ERR_UNAUTHENTICATED },
		{ "[]", ERR_UNAUTHENTICATED },
		{ "no JSON", ERR_UNAUTHENTICATED },
		{ "{\"sub\":\"a\",\"sub\":\"b\"}", ERR_UNAUTHENTICATED },
	};
	struct id_token token;
	struct key key;

	ec(&key, "k");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect_eq(id_token_read(&call, sign(key.jwk, "ES256", "k", rows[i].claims),
				     key.jwks, &wanted, &token),
			rows[i].want, "%s: %s", rows[i].claims, call.fault.detail);
	cjose_jwk_release(key.jwk);
}

Test(id_token, only_a_key_of_the_provider_and_its_algorithm_count)
{
	struct key key, other, elliptic;
	struct id_token token;
	const char *good;
	char *changed;

	rsa(&key, "k");
	rsa(&other, "k");
	ec(&elliptic, "k");
	good = sign(key.jwk, "RS256", "k", GOOD);
	cr_assert_eq(id_token_read(&call, good, key.jwks, &wanted, &token), OK);
	cr_assert_eq(id_token_read(&call, good, other.jwks, &wanted, &token), ERR_UNAUTHENTICATED);
	cr_assert_eq(id_token_read(&call, good, elliptic.jwks, &wanted, &token), ERR_NOT_FOUND);
	cr_assert_eq(id_token_read(&call, good, "{\"keys\":[]}", &wanted, &token), ERR_NOT_FOUND);
	cr_assert_eq(id_token_read(&call, good, "nonsense", &wanted, &token), ERR_NOT_FOUND);
	cr_assert_eq(id_token_read(
			     &call, sign(key.jwk, "RS256", "new", GOOD), key.jwks, &wanted, &token),
		ERR_NOT_FOUND);
	cr_assert_eq(
		id_token_read(&call, sign(key.jwk, "RS512", "k", GOOD), key.jwks, &wanted, &token),
		ERR_UNAUTHENTICATED);
	changed = arena_strdup(call.arena, good);
	changed[strlen(changed) - 10] = changed[strlen(changed) - 10] == 'A' ? 'B' : 'A';
	cr_assert_eq(id_token_read(&call, changed, key.jwks, &wanted, &token), ERR_UNAUTHENTICATED);
	cjose_jwk_release(key.jwk);
	cjose_jwk_release(other.jwk);
	cjose_jwk_release(elliptic.jwk);
}

Test(id_token, a_key_set_that_is_no_base64_ends_nothing)
{
	static const char *const sets[] = {
		"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"A\",\"y\":\"=A==\"}]}",
		"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":7,\"y\":null}]}",
		"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-999\",\"x\":\"AAAA\",\"y\":\"AAAA\"},1,[]]"
		"}",
	};
	struct id_token token;
	struct key key;

	ec(&key, "k");
	for (size_t i = 0; i < ARRAY_LEN(sets); i++)
		cr_expect_eq(id_token_read(&call, sign(key.jwk, "ES256", NULL, GOOD), sets[i],
				     &wanted, &token),
			ERR_UNAUTHENTICATED, "%s", sets[i]);
	cjose_jwk_release(key.jwk);
}

/* The public key as the secret of an HMAC, and no signature at all. */
Test(id_token, other_algorithms_are_refused)
{
	cjose_err error;
	struct key key;
	struct id_token token;
	cjose_jwk_t *secret;
	const char *texts[6];

	rsa(&key, "k");
	secret = cjose_jwk_create_oct_spec((const uint8_t *)key.jwks, strlen(key.jwks), &error);
	texts[0] = sign(secret, "HS256", "k", GOOD);
	texts[1] = "eyJhbGciOiJub25lIn0.e30.";
	texts[2] = "";
	/* at these cjose would end the process */
	texts[3] = "eyJhb=ciOiAiUlMyNTYifQ.eyJpc3MiOiJ4In0.AgIC";
	texts[4] = "eyJhbGciOiJSUzI1NiJ9.e30.A";
	texts[5] = "eyJhbGciOiJSUzI1NiJ9.e30.AgIC.AgIC";
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		cr_expect_eq(id_token_read(&call, texts[i], key.jwks, &wanted, &token),
			ERR_UNAUTHENTICATED, "%zu", i);
	cjose_jwk_release(secret);
	cjose_jwk_release(key.jwk);
}
