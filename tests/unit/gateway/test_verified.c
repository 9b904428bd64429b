/* verified: what is found again, for how long, and when all is forgotten. */
#include "gateway/verified.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <string.h>

static struct token_claims claims_until(int64_t expires_at, const char *subject)
{
	struct token_claims claims = { .expires_at = expires_at };

	snprintf(claims.subject, sizeof(claims.subject), "%s", subject);
	return claims;
}

Test(verified, life)
{
	struct verified *verified = verified_create();
	struct token_claims claims = claims_until(100, "user:a"), found;

	cr_expect(not(verified_find(verified, "a.b.c", 0, &found)));
	verified_add(verified, "a.b.c", &claims);
	cr_expect(verified_find(verified, "a.b.c", 99, &found));
	cr_expect(eq(str, found.subject, "user:a"));
	cr_expect(not(verified_find(verified, "a.b.c", 100, &found)));
	cr_expect(not(verified_find(verified, "a.b.d", 99, &found)));
	cr_expect(not(verified_find(verified, "a.b.c ", 99, &found)));
	cr_expect(not(verified_find(verified, "", 99, &found)));
	verified_clear(verified);
	cr_expect(not(verified_find(verified, "a.b.c", 99, &found)));
	verified_destroy(verified);
}

Test(verified, many_tokens_never_mix)
{
	struct verified *verified = verified_create();
	char token[16];
	int n_found = 0;

	for (int i = 0; i < 5000; i++) {
		struct token_claims claims;

		snprintf(token, sizeof(token), "token-%d", i);
		claims = claims_until(100, token);
		verified_add(verified, token, &claims);
	}
	for (int i = 0; i < 5000; i++) {
		struct token_claims found;

		snprintf(token, sizeof(token), "token-%d", i);
		if (!verified_find(verified, token, 0, &found))
			continue;
		n_found++;
		cr_expect(eq(str, found.subject, token));
	}
	cr_expect(gt(int, n_found, 500));
	verified_destroy(verified);
}
