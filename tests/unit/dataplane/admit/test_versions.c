/*
 * versions: tokens with earlier policies or rules are refused, in whatever order it was told.
 */
#include "dataplane/admit/versions.h"

#include <criterion/criterion.h>
#include <string.h>

#define MEMBER	"018f0000-0000-7000-8000-0000000000bb"
#define NETWORK "018f0000-0000-7000-8000-0000000000cc"

static bool refuse(const struct versions *versions, int64_t policy, int64_t network)
{
	struct token_claims claims = { .policy_version = policy, .network_version = network };

	strcpy(claims.member, MEMBER);
	strcpy(claims.network, NETWORK);
	return versions_refuse(versions, &claims);
}

Test(versions, refuse_what_is_older_than_they_were_told)
{
	struct versions *versions = versions_create();

	cr_assert_not(refuse(versions, 0, 0));
	versions_add(versions, MEMBER, 3, 100);
	cr_assert(refuse(versions, 2, 9));
	cr_assert_not(refuse(versions, 3, 0));
	versions_add(versions, NETWORK, 5, 100);
	cr_assert(refuse(versions, 3, 4));
	cr_assert_not(refuse(versions, 3, 5));
	versions_add(versions, MEMBER, 2, 101);
	cr_assert(refuse(versions, 2, 5));
	versions_destroy(versions);
}

Test(versions, forget_what_no_token_is_old_enough_for)
{
	struct versions *versions = versions_create();

	versions_add(versions, MEMBER, 3, 100);
	versions_add(versions, NETWORK, 5, 2000);
	versions_add(versions, MEMBER, 3, 3000); /* told again: kept longer */
	versions_add(versions, "018f0000-0000-7000-8000-0000000000dd", 1, 2000 + 3601);
	cr_assert(refuse(versions, 2, 9));
	cr_assert_not(refuse(versions, 3, 1));
	versions_destroy(versions);
}
