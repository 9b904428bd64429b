/* revoked: which tokens are refused, and what is forgotten. */
#include "lib/revoked.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>

Test(revoked, earlier_tokens_only)
{
	struct revoked *revoked = revoked_create();

	cr_expect(not(revoked_has(revoked, "user:a", 100)));
	revoked_add(revoked, "user:a", 100);
	cr_expect(revoked_has(revoked, "user:a", 99));
	cr_expect(not(revoked_has(revoked, "user:a", 100)));
	cr_expect(not(revoked_has(revoked, "user:b", 99)));
	revoked_add(revoked, "user:a", 50); /* an older event changes nothing */
	cr_expect(revoked_has(revoked, "user:a", 99));
	revoked_add(revoked, "user:a", 200);
	cr_expect(revoked_has(revoked, "user:a", 199));
	revoked_destroy(revoked);
}

Test(revoked, prune)
{
	struct revoked *revoked = revoked_create();
	char subject[32];

	for (int i = 0; i < 5000; i++) {
		snprintf(subject, sizeof(subject), "device:%d", i);
		revoked_add(revoked, subject, i);
	}
	revoked_prune(revoked, 2500);
	for (int i = 0; i < 5000; i++) {
		snprintf(subject, sizeof(subject), "device:%d", i);
		cr_expect(eq(int, revoked_has(revoked, subject, i - 1), i >= 2500), "%d", i);
	}
	revoked_destroy(revoked);
}

Test(revoked, a_token_by_its_subject_its_member_or_its_tenant)
{
	struct token_claims claims = {
		.subject = "device:d", .member = "m", .tenant = "t", .issued_at = 99
	};
	static const char *const names[] = { "device:d", "member:m", "tenant:t" };

	for (size_t i = 0; i < 3; i++) {
		struct revoked *revoked = revoked_create();

		revoked_add(revoked, "tenant:other", 100);
		cr_expect(not(revoked_has_token(revoked, &claims)));
		revoked_add(revoked, names[i], 100);
		cr_expect(revoked_has_token(revoked, &claims));
		revoked_destroy(revoked);
	}
	cr_expect(revoked_means("device:d", "device:d", "t"));
	cr_expect(revoked_means("tenant:t", "device:d", "t"));
	cr_expect(not(revoked_means("tenant:t", "device:d", "u")));
	cr_expect(not(revoked_means("device:e", "device:d", "t")));
}
