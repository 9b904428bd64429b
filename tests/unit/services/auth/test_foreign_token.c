/* Tokens that sites of eduVPN 1 have signed; the first one is such a site's own (contract
 * app-api 3.2).
 */
#include "services/auth/federation/foreign_token.h"

#include "lib/base64.h"

#include <criterion/criterion.h>

#include <string.h>

#define SITE_KEY "TI5uMGbIR6FzLlX0cuDQE86KTgifjnpiOJQ4Fld1Hxc="
#define TOKEN                                                                                      \
	"dXvNt6RuSqxvwE-KU60ddP7dZ8rkj0faYzckfp3xLYIGtfgTwsMGl1XQRYmZ4pXBhSVanOsCgvXWM6eDOUQ4C3"   \
	"sidHlwZSI6ImFjY2Vzc190b2tlbiIsImF1dGhfa2V5IjoicmFuZG9tXzEiLCJ1c2VyX2lkIjoiZm9vIiwiY2xp"   \
	"ZW50X2lkIjoiY29kZS1jbGllbnQiLCJzY29wZSI6ImNvbmZpZyIsImV4cGlyZXNfYXQiOiIyMDE2LTAxLTAxVD"   \
	"AxOjAwOjAwKzAwOjAwIn0"
#define CLAIMS(more)                                                                               \
	"{\"type\":\"access_token\",\"auth_key\":\"k\",\"user_id\":\"u\",\"client_id\":\"c\","     \
	"\"scope\":\"config\"" more "}"
#define AT(time) CLAIMS(",\"expires_at\":\"" time "\"")

static bool read_with(struct arena *arena, const char *text, const char *key, size_t before,
	struct foreign_token *token)
{
	struct foreign_key keys[4] = { 0 };
	size_t len;

	cr_assert(base64_decode(key, strlen(key), sodium_base64_VARIANT_ORIGINAL,
		keys[before].bytes, sizeof(keys[before].bytes), &len));
	return foreign_token_read(arena, text, keys, before + 1, token);
}

Test(foreign_token, one_of_a_real_site)
{
	AUTO_ARENA arena = arena_create();
	struct foreign_token token;

	cr_assert(read_with(arena, TOKEN, SITE_KEY, 2, &token));
	cr_assert_eq(token.key, 2);
	cr_assert_str_eq(token.auth_key, "random_1");
	cr_assert_str_eq(token.user_id, "foo");
	cr_assert_str_eq(token.client_id, "code-client");
	cr_assert_str_eq(token.scope, "config");
	cr_assert_eq(token.expires_at, 1451610000);
}

Test(foreign_token, what_the_site_has_not_signed)
{
	static const char *const wrong[] = { "", "AAAA", TOKEN "AA", TOKEN "=", TOKEN ".",
		&TOKEN[4], "Axx" TOKEN };
	AUTO_ARENA arena = arena_create();
	struct foreign_token token;
	char changed[] = TOKEN;

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		cr_expect_not(read_with(arena, wrong[i], SITE_KEY, 0, &token), "%s", wrong[i]);
	cr_expect_not(foreign_token_read(arena, TOKEN, NULL, 0, &token));
	for (size_t i = 0; i < sizeof(changed) - 1; i += 7) {
		char was = changed[i];

		changed[i] = was == 'A' ? 'B' : 'A';
		cr_expect_not(read_with(arena, changed, SITE_KEY, 0, &token), "byte %zu", i);
		changed[i] = was;
	}
	cr_expect(read_with(arena, changed, SITE_KEY, 0, &token));
}

static bool read_claims(struct arena *arena, const char *claims, struct foreign_token *token)
{
	unsigned char secret[crypto_sign_SECRETKEYBYTES], bytes[4096];
	struct foreign_key key;
	char text[8192];
	size_t len = strlen(claims);

	crypto_sign_keypair(key.bytes, secret);
	crypto_sign_detached(bytes, NULL, (const unsigned char *)claims, len, secret);
	memcpy(bytes + crypto_sign_BYTES, claims, len);
	sodium_bin2base64(text, sizeof(text), bytes, crypto_sign_BYTES + len,
		sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	return foreign_token_read(arena, text, &key, 1, token);
}

Test(foreign_token, the_end_is_a_time_with_its_zone)
{
	static const struct {
		const char *claims;
		int64_t expires_at; /* 0: refused */
	} rows[] = {
		{ AT("2016-01-01T01:00:00+00:00"), 1451610000 },
		{ AT("2016-01-01T02:00:00+01:00"), 1451610000 },
		{ AT("2015-12-31T19:30:00-05:30"), 1451610000 },
		{ AT("2016-01-01T01:00:00Z"), 0 },
		{ AT("2016-01-01 01:00:00+00:00"), 0 },
		{ AT("2016-13-01T01:00:00+00:00"), 0 },
		{ AT("2016-01-01T01:00:00+0000 "), 0 },
		{ AT(""), 0 },
		{ CLAIMS(",\"expires_at\":1451610000"), 0 },
		{ CLAIMS(""), 0 },
	};
	AUTO_ARENA arena = arena_create();

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct foreign_token token;
		bool good = read_claims(arena, rows[i].claims, &token);

		cr_expect_eq(good, rows[i].expires_at != 0, "%s", rows[i].claims);
		if (good)
			cr_expect_eq(token.expires_at, rows[i].expires_at, "%s", rows[i].claims);
	}
}

Test(foreign_token, claims_that_are_none)
{
	static const char *const wrong[] = { "", "{", "[]", "{}", "null", "\"access_token\"",
		AT("2016-01-01T01:00:00+00:00") "x",
		CLAIMS(",\"expires_at\":\"2016-01-01T01:00:00+00:00\",\"type\":\"refresh_"
		       "token\"") };
	AUTO_ARENA arena = arena_create();
	struct foreign_token token;

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		cr_expect_not(read_claims(arena, wrong[i], &token), "%s", wrong[i]);
}
