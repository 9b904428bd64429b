/*
 * Access tokens: what is signed is read back whole; everything that is not exactly ours is refused.
 */
#include "lib/mem.h"
#include "lib/token.h"
#include "tests/token_forge.h"

#include <criterion/criterion.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ISSUER "lanyard"
#define NOW    1800000000LL

#define JTI    "0190a000-0000-7000-8000-000000000001"
#define TENANT "0190a000-0000-7000-8000-000000000002"

/* Claims that token_verify takes; `more` is put first. */
#define CLAIMS(more)                                                                               \
	"{" more "\"iss\":\"lanyard\",\"jti\":\"" JTI "\",\"tenant\":\"" TENANT "\","              \
	"\"sub\":\"device:x\",\"scope\":\"\",\"mac_limit\":1,\"policy_version\":0,"                \
	"\"iat\":1799999990,\"exp\":1800000590}"

static const struct token_claims example = {
	.id = JTI,
	.tenant = TENANT,
	.subject = "device:0190a000-0000-7000-8000-000000000003",
	.role = "device",
	.scopes = { "network:attach", "pairs:claim" },
	.n_scopes = 2,
	.network = "0190a000-0000-7000-8000-000000000004",
	.member = "0190a000-0000-7000-8000-000000000005",
	.mac = "02:00:00:00:00:01",
	.mac_limit = UINT32_MAX,
	.policy_version = INT64_MAX,
	.network_version = INT64_MAX,
	.ipv4 = "192.168.100.200",
	.ipv6 = "fd00:1111:2222:3333:4444:5555:6666:7777",
	.bridge = true,
	.isolated = true,
	.dhcp_server = true,
	.router = true,
	.address_guard = true,
	.no_broadcast = true,
	.no_multicast = true,
	.storm_frames = UINT32_MAX,
	.storm_bytes = UINT32_MAX,
	.issued_at = NOW,
	.expires_at = NOW + 600,
};

static struct token_keys *make_keys(const char *public_jwk)
{
	struct token_keys *keys = NULL;
	AUTO_FREE char *jwks = xasprintf("{\"keys\":[%s]}", public_jwk);

	cr_assert(token_keys_create(&keys, jwks) == OK);
	return keys;
}

static err_t verify(const struct token_keys *keys, const char *token, int64_t now_s)
{
	struct token_claims claims;

	return token_verify(keys, token, strlen(token), ISSUER, now_s, &claims);
}

/* Verifies `claims` under `header`, signed with the right key. */
static err_t verify_forged(const char *header, const char *claims)
{
	struct token_keys *keys = NULL;
	char token[2 * TOKEN_MAX];
	struct forge forge;
	err_t err;

	forge_init(&forge);
	cr_assert(token_keys_create(&keys, forge.jwks) == OK);
	cr_assert(forge_token(&forge, header, strlen(header), claims, strlen(claims), token,
			  sizeof(token)) > 0);
	err = verify(keys, token, NOW);
	token_keys_destroy(keys);
	return err;
}

Test(token, comes_back_as_it_was_signed)
{
	AUTO_FREE char *private_jwk = NULL;
	AUTO_FREE char *public_jwk = NULL;
	AUTO_FREE char *token = NULL;
	struct token_claims read;
	struct token_keys *keys;

	cr_assert(token_key_generate("key-1", &private_jwk, &public_jwk) == OK);
	cr_assert(token_sign(private_jwk, ISSUER, &example, &token) == OK);
	cr_assert(strlen(token) < TOKEN_MAX);
	keys = make_keys(public_jwk);
	cr_assert(token_verify(keys, token, strlen(token), ISSUER, NOW, &read) == OK);
	cr_expect(memcmp(&read, &example, sizeof(read)) == 0);
	token_keys_destroy(keys);
}

Test(token, with_the_least_claims_and_the_most_scopes)
{
	struct token_claims claims = { .id = JTI,
		.tenant = TENANT,
		.subject = "user:x",
		.issued_at = NOW,
		.expires_at = NOW + 1 };
	AUTO_FREE char *private_jwk = NULL;
	AUTO_FREE char *public_jwk = NULL;
	struct token_keys *keys;

	cr_assert(token_key_generate("k", &private_jwk, &public_jwk) == OK);
	keys = make_keys(public_jwk);
	for (size_t n = 0; n <= TOKEN_SCOPES_MAX; n += TOKEN_SCOPES_MAX) {
		AUTO_FREE char *token = NULL;
		struct token_claims read;

		for (size_t i = 0; i < n; i++)
			memset(claims.scopes[i], 's', sizeof(claims.scopes[i]) - 1);
		claims.n_scopes = n;
		cr_assert(token_sign(private_jwk, ISSUER, &claims, &token) == OK);
		cr_assert(token_verify(keys, token, strlen(token), ISSUER, NOW, &read) == OK);
		cr_expect(memcmp(&read, &claims, sizeof(read)) == 0);
	}
	token_keys_destroy(keys);
}

Test(token, lives_from_a_little_before_its_time_until_it_ends)
{
	static const struct {
		int64_t now;
		err_t want;
	} rows[] = {
		{ NOW - 61, ERR_UNAUTHENTICATED },
		{ NOW - 60, OK },
		{ NOW, OK },
		{ NOW + 599, OK },
		{ NOW + 600, ERR_UNAUTHENTICATED },
		{ NOW + 100000, ERR_UNAUTHENTICATED },
	};
	AUTO_FREE char *private_jwk = NULL;
	AUTO_FREE char *public_jwk = NULL;
	AUTO_FREE char *token = NULL;
	struct token_keys *keys;

	cr_assert(token_key_generate("k", &private_jwk, &public_jwk) == OK);
	cr_assert(token_sign(private_jwk, ISSUER, &example, &token) == OK);
	keys = make_keys(public_jwk);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect(verify(keys, token, rows[i].now) == rows[i].want, "row %zu", i);
	token_keys_destroy(keys);
}

Test(token, is_void_with_any_bit_changed)
{
	AUTO_FREE char *private_jwk = NULL;
	AUTO_FREE char *public_jwk = NULL;
	AUTO_FREE char *token = NULL;
	struct token_keys *keys;
	size_t len;

	cr_assert(token_key_generate("k", &private_jwk, &public_jwk) == OK);
	cr_assert(token_sign(private_jwk, ISSUER, &example, &token) == OK);
	keys = make_keys(public_jwk);
	len = strlen(token);
	for (size_t i = 0; i < len; i++)
		for (int bit = 0; bit < 8; bit++) {
			struct token_claims claims;

			token[i] ^= (char)(1 << bit);
			cr_assert(token_verify(keys, token, len, ISSUER, NOW, &claims) != OK,
				"byte %zu bit %d", i, bit);
			token[i] ^= (char)(1 << bit);
		}
	for (size_t cut = 0; cut < len; cut++) {
		struct token_claims claims;

		cr_assert(token_verify(keys, token, cut, ISSUER, NOW, &claims) != OK);
	}
	token_keys_destroy(keys);
}

Test(token, of_another_key_is_not_found_or_refused)
{
	AUTO_FREE char *private_jwk = NULL;
	AUTO_FREE char *public_jwk = NULL;
	AUTO_FREE char *other_private = NULL;
	AUTO_FREE char *other_public = NULL;
	AUTO_FREE char *same_private = NULL;
	AUTO_FREE char *same_public = NULL;
	AUTO_FREE char *other = NULL;
	AUTO_FREE char *same = NULL;
	struct token_keys *keys;

	cr_assert(token_key_generate("k", &private_jwk, &public_jwk) == OK);
	cr_assert(token_key_generate("other", &other_private, &other_public) == OK);
	cr_assert(token_key_generate("k", &same_private, &same_public) == OK);
	cr_assert(token_sign(other_private, ISSUER, &example, &other) == OK);
	cr_assert(token_sign(same_private, ISSUER, &example, &same) == OK);
	keys = make_keys(public_jwk);
	cr_expect(verify(keys, other, NOW) == ERR_NOT_FOUND);
	cr_expect(verify(keys, same, NOW) == ERR_UNAUTHENTICATED);
	token_keys_destroy(keys);
}

Test(token, of_another_issuer_is_refused)
{
	AUTO_FREE char *private_jwk = NULL;
	AUTO_FREE char *public_jwk = NULL;
	AUTO_FREE char *token = NULL;
	struct token_keys *keys;

	cr_assert(token_key_generate("k", &private_jwk, &public_jwk) == OK);
	cr_assert(token_sign(private_jwk, "elsewhere", &example, &token) == OK);
	keys = make_keys(public_jwk);
	cr_expect(verify(keys, token, NOW) == ERR_UNAUTHENTICATED);
	token_keys_destroy(keys);
}

Test(token, header_is_ours_and_nothing_more)
{
	static const char *const refused[] = {
		"",
		"null",
		"[]",
		"{}",
		"{\"alg\":\"none\",\"typ\":\"at+jwt\",\"kid\":\"k1\"}",
		"{\"alg\":\"eddsa\",\"typ\":\"at+jwt\",\"kid\":\"k1\"}",
		"{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"k1\"}",
		"{\"alg\":\"EdDSA\",\"typ\":\"JWT\",\"kid\":\"k1\"}",
		"{\"alg\":\"EdDSA\",\"kid\":\"k1\"}",
		"{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\"}",
		"{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":1}",
		"{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"\"}",
		"{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":null}",
		"{\"alg\":[\"EdDSA\"],\"typ\":\"at+jwt\",\"kid\":\"k1\"}",
		"{\"alg\":\"EdDSA\",\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"k1\"}",
		"{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"k1\",\"zip\":\"DEF\"}",
		"{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"k1\",\"crit\":[\"x\"]}",
		"{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"k1\",\"jku\":\"http://127.0.0.1/"
		"\"}",
		"{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"k1\",\"x5u\":\"http://127.0.0.1/"
		"\"}",
		"{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"k1\",\"jwk\":{}}",
		FORGE_HEADER " ,",
	};

	cr_assert(verify_forged(FORGE_HEADER, CLAIMS("")) == OK);
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		cr_expect(verify_forged(refused[i], CLAIMS("")) == ERR_UNAUTHENTICATED, "%s",
			refused[i]);
}

Test(token, header_is_bounded)
{
	char header[600];

	snprintf(header, sizeof(header), "%-300s", FORGE_HEADER);
	cr_expect(verify_forged(header, CLAIMS("")) == ERR_UNAUTHENTICATED);
	snprintf(header, sizeof(header), "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"%0*d\"}",
		64, 1);
	cr_expect(verify_forged(header, CLAIMS("")) == ERR_UNAUTHENTICATED);
	snprintf(header, sizeof(header), "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"%0*d\"}",
		63, 1);
	cr_expect(verify_forged(header, CLAIMS("")) == ERR_NOT_FOUND);
}

Test(token, is_bounded)
{
	char claims[TOKEN_MAX];

	snprintf(claims, sizeof(claims), "%-*s", 2900, CLAIMS(""));
	cr_expect(verify_forged(FORGE_HEADER, claims) == OK);
	snprintf(claims, sizeof(claims), "%-*s", 3100, CLAIMS(""));
	cr_expect(verify_forged(FORGE_HEADER, claims) == ERR_UNAUTHENTICATED);
}

/* Claims as the example's, but one: each row's text takes the place of `was`. */
static err_t verify_with(const char *was, const char *is)
{
	static const char claims[] = CLAIMS("\"role\":\"device\",\"mac\":\"02:00:00:00:00:01\",");
	char text[TOKEN_MAX];
	const char *at = strstr(claims, was);

	cr_assert(at, "%s", was);
	snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - claims), claims, is, at + strlen(was));
	return verify_forged(FORGE_HEADER, text);
}

Test(token, claims_have_their_types_and_lengths)
{
	static const struct {
		const char *was, *is;
		err_t want;
	} rows[] = {
		{ "\"scope\":\"\"", "\"scope\":\"a:read b:write\"", OK },
		{ "\"scope\":\"\"", "\"scope\":\" a\"", ERR_UNAUTHENTICATED },
		{ "\"scope\":\"\"", "\"scope\":\"a  b\"", ERR_UNAUTHENTICATED },
		{ "\"scope\":\"\"", "\"scope\":[\"a\"]", ERR_UNAUTHENTICATED },
		{ "\"scope\":\"\"", "\"scope\":\"0123456789012345678901234567890123456789\"",
			ERR_UNAUTHENTICATED },
		{ "\"scope\":\"\"",
			"\"scope\":\"1 2 3 4 5 6 7 8 9 1 2 3 4 5 6 7 8 9 1 2 3 4 5 6 7 8 9 1 2 3 4 "
			"5 6\"",
			ERR_UNAUTHENTICATED },
		{ "\"scope\":\"\",", "", ERR_UNAUTHENTICATED },
		{ "\"iss\":\"lanyard\"", "\"iss\":\"lanyard2\"", ERR_UNAUTHENTICATED },
		{ "\"iss\":\"lanyard\"", "\"iss\":[\"lanyard\"]", ERR_UNAUTHENTICATED },
		{ "\"iss\":\"lanyard\",", "", ERR_UNAUTHENTICATED },
		{ "\"iss\":\"lanyard\"", "\"iss\":\"lanyard\\u0000\"", ERR_UNAUTHENTICATED },
		{ "\"jti\":\"" JTI "\"", "\"jti\":\"x\"", ERR_UNAUTHENTICATED },
		{ "\"jti\":\"" JTI "\",", "", ERR_UNAUTHENTICATED },
		{ "\"tenant\":\"" TENANT "\"", "\"tenant\":\"" TENANT "0\"", ERR_UNAUTHENTICATED },
		{ "\"tenant\":\"" TENANT "\"", "\"tenant\":null", ERR_UNAUTHENTICATED },
		{ "\"tenant\":\"" TENANT "\",", "", ERR_UNAUTHENTICATED },
		{ "\"sub\":\"device:x\"", "\"sub\":\"\"", ERR_UNAUTHENTICATED },
		{ "\"sub\":\"device:x\"", "\"sub\":7", ERR_UNAUTHENTICATED },
		{ "\"sub\":\"device:x\",", "", ERR_UNAUTHENTICATED },
		{ "\"role\":\"device\"", "\"role\":\"0123456789abcdef\"", ERR_UNAUTHENTICATED },
		{ "\"role\":\"device\"", "\"role\":{}", ERR_UNAUTHENTICATED },
		{ "\"role\":\"device\",", "", OK },
		{ "\"mac\":\"02:00:00:00:00:01\"", "\"mac\":\"02:00:00:00:00:012\"",
			ERR_UNAUTHENTICATED },
		{ "\"mac\":\"02:00:00:00:00:01\"", "\"mac\":\"\"", OK },
		{ "\"mac_limit\":1", "\"mac_limit\":4294967295", OK },
		{ "\"mac_limit\":1", "\"mac_limit\":4294967296", ERR_UNAUTHENTICATED },
		{ "\"mac_limit\":1", "\"mac_limit\":-1", ERR_UNAUTHENTICATED },
		{ "\"mac_limit\":1", "\"mac_limit\":1.0", ERR_UNAUTHENTICATED },
		{ "\"mac_limit\":1", "\"mac_limit\":true", ERR_UNAUTHENTICATED },
		{ "\"mac_limit\":1,", "", ERR_UNAUTHENTICATED },
		{ "\"policy_version\":0", "\"policy_version\":-1", ERR_UNAUTHENTICATED },
		{ "\"policy_version\":0", "\"policy_version\":99999999999999999999",
			ERR_UNAUTHENTICATED },
		{ "\"iss\"", "\"network_version\":7,\"bridge\":true,\"iss\"", OK },
		{ "\"iss\"", "\"bridge\":false,\"iss\"", OK },
		{ "\"iss\"", "\"bridge\":1,\"iss\"", ERR_UNAUTHENTICATED },
		{ "\"iss\"", "\"isolated\":\"true\",\"iss\"", ERR_UNAUTHENTICATED },
		{ "\"iss\"", "\"no_multicast\":null,\"iss\"", ERR_UNAUTHENTICATED },
		{ "\"iss\"", "\"network_version\":-1,\"iss\"", ERR_UNAUTHENTICATED },
		{ "\"iss\"", "\"storm_frames\":4294967296,\"iss\"", ERR_UNAUTHENTICATED },
		{ "\"iss\"", "\"storm_bytes\":\"1\",\"iss\"", ERR_UNAUTHENTICATED },
		{ "\"iss\"", "\"ipv4\":\"192.168.100.2000\",\"iss\"", ERR_UNAUTHENTICATED },
		{ "\"exp\":1800000590", "\"exp\":\"1800000590\"", ERR_UNAUTHENTICATED },
		{ "\"exp\":1800000590", "\"exp\":1800000000", ERR_UNAUTHENTICATED },
		{ "\"exp\":1800000590", "\"exp\":1800000590.5", ERR_UNAUTHENTICATED },
		{ ",\"exp\":1800000590", "", ERR_UNAUTHENTICATED },
		{ "\"iat\":1799999990", "\"iat\":1800000060", OK },
		{ "\"iat\":1799999990", "\"iat\":1800000061", ERR_UNAUTHENTICATED },
		{ "\"iat\":1799999990,", "", ERR_UNAUTHENTICATED },
		{ "\"iss\"", "\"later\":{\"version\":[1]},\"iss\"", OK },
		{ "\"iss\"", "\"iss\":\"lanyard\",\"iss\"", ERR_UNAUTHENTICATED },
		{ "{", "", ERR_UNAUTHENTICATED },
		{ "}", "}}", ERR_UNAUTHENTICATED },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect(verify_with(rows[i].was, rows[i].is) == rows[i].want, "row %zu: %s", i,
			rows[i].is);
}

Test(token, garbage_is_refused)
{
	static const char *const texts[] = { "", ".", "..", "...", "a.b.c", "e30.e30.e30",
		"e30=.e30=.e30=", " ", "\xff\xff.\xff.\xff" };
	struct token_keys *keys = NULL;
	struct forge forge;

	forge_init(&forge);
	cr_assert(token_keys_create(&keys, forge.jwks) == OK);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		cr_expect(verify(keys, texts[i], NOW) == ERR_UNAUTHENTICATED, "%s", texts[i]);
	token_keys_destroy(keys);
}

#define X "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"

Test(token, key_sets)
{
	static const struct {
		const char *jwks;
		err_t want;
	} rows[] = {
		{ "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"a\",\"x\":\"" X
		  "\"}]}",
			OK },
		{ "{\"keys\":[{\"kty\":\"RSA\"},{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"a\","
		  "\"x\":\"" X "\"},7]}",
			OK },
		{ "", ERR_INVALID_ARGUMENT },
		{ "[]", ERR_INVALID_ARGUMENT },
		{ "{}", ERR_INVALID_ARGUMENT },
		{ "{\"keys\":{}}", ERR_INVALID_ARGUMENT },
		{ "{\"keys\":[]}", ERR_INVALID_ARGUMENT },
		{ "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"X25519\",\"kid\":\"a\",\"x\":\"" X "\"}]}",
			ERR_INVALID_ARGUMENT },
		{ "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" X "\"}]}",
			ERR_INVALID_ARGUMENT },
		{ "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"a\"}]}",
			ERR_INVALID_ARGUMENT },
		{ "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"a\",\"x\":\"" X
		  "AA\"}]}",
			ERR_INVALID_ARGUMENT },
		{ "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"a\",\"x\":\"11qY\"}]}",
			ERR_INVALID_ARGUMENT },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct token_keys *keys = NULL;

		cr_expect(token_keys_create(&keys, rows[i].jwks) == rows[i].want, "row %zu", i);
		token_keys_destroy(keys);
	}
}

Test(token, the_published_key_does_not_hold_the_private_one)
{
	AUTO_FREE char *private_jwk = NULL;
	AUTO_FREE char *public_jwk = NULL;
	AUTO_FREE char *token = NULL;

	cr_assert(token_key_generate("k", &private_jwk, &public_jwk) == OK);
	cr_expect(strstr(private_jwk, "\"d\":"));
	cr_expect_not(strstr(public_jwk, "\"d\":"));
	cr_expect(token_sign(public_jwk, ISSUER, &example, &token) == ERR_INVALID_ARGUMENT);
}

Test(token, keys_with_bad_names_are_not_made)
{
	AUTO_FREE char *private_jwk = NULL;
	AUTO_FREE char *public_jwk = NULL;
	char name[65] = "";

	memset(name, 'k', sizeof(name) - 1);
	cr_expect(token_key_generate("", &private_jwk, &public_jwk) == ERR_INVALID_ARGUMENT);
	cr_expect(token_key_generate(name, &private_jwk, &public_jwk) == ERR_INVALID_ARGUMENT);
	cr_expect(token_key_generate("\xff", &private_jwk, &public_jwk) == ERR_INVALID_ARGUMENT);
}

Test(token, what_can_not_be_read_back_is_not_signed)
{
	AUTO_FREE char *private_jwk = NULL;
	AUTO_FREE char *public_jwk = NULL;
	AUTO_FREE char *token = NULL;
	struct token_claims claims = example;

	cr_assert(token_key_generate("k", &private_jwk, &public_jwk) == OK);
	claims.n_scopes = TOKEN_SCOPES_MAX + 1;
	cr_expect(token_sign(private_jwk, ISSUER, &claims, &token) == ERR_INVALID_ARGUMENT);
	claims = example;
	strcpy(claims.role, "\xff");
	cr_expect(token_sign(private_jwk, ISSUER, &claims, &token) == ERR_INVALID_ARGUMENT);
	cr_expect(token_sign("{}", ISSUER, &example, &token) == ERR_INVALID_ARGUMENT);
	cr_expect(token_sign("not JSON", ISSUER, &example, &token) == ERR_INVALID_ARGUMENT);
	/* Made by escapes into more than a token may have. */
	claims = example;
	claims.n_scopes = TOKEN_SCOPES_MAX;
	for (size_t i = 0; i < TOKEN_SCOPES_MAX; i++)
		memset(claims.scopes[i], 1, sizeof(claims.scopes[i]) - 1);
	cr_expect(token_sign(private_jwk, ISSUER, &claims, &token) == ERR_INVALID_ARGUMENT);
}
