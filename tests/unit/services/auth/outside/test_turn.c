/* Who waits for the world outside: some of each tenant, and not too many of all. */
#include "services/auth/outside/turn.h"

#include <criterion/criterion.h>

static struct call of(const char *tenant)
{
	return (struct call){ .tenant = tenant };
}

Test(turn, a_tenant_that_waits_leaves_turns_for_others)
{
	struct call a = of("018f0000-0000-7000-8000-00000000000a");
	struct call b = of("018f0000-0000-7000-8000-00000000000b");
	struct call c = of("018f0000-0000-7000-8000-00000000000c");

	cr_expect_eq(turn_take(&a), OK);
	cr_expect_eq(turn_take(&a), OK);
	cr_expect_eq(turn_take(&a), ERR_RESOURCE_EXHAUSTED);
	cr_expect_eq(turn_take(&b), OK);
	cr_expect_eq(turn_take(&b), OK);
	cr_expect_eq(turn_take(&c), ERR_RESOURCE_EXHAUSTED);
	turn_give(&a);
	cr_expect_eq(turn_take(&c), OK);
	cr_expect_eq(turn_take(&a), ERR_RESOURCE_EXHAUSTED);
	turn_give(&b);
	cr_expect_eq(turn_take(&a), OK);
}
