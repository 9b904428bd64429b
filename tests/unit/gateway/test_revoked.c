/* revoked: which tokens are refused, and what is forgotten. */
#include "gateway/revoked.h"

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
