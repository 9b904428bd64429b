/* test_provision_state: every pair of states, and what an attach is told in each. */
#include "services/provision/state.h"

#include "lib/mem.h"

#include <criterion/criterion.h>

#include <string.h>

static const char *const states[] = { "pending", "approved", "blocked", "retired" };

/* Row: from, column: to. */
static const bool may[ARRAY_LEN(states)][ARRAY_LEN(states)] = {
	{ true, true, false, true },
	{ false, true, true, true },
	{ false, true, true, true },
	{ false, false, false, false },
};

Test(state, change)
{
	for (size_t from = 0; from < ARRAY_LEN(states); from++) {
		for (size_t to = 0; to < ARRAY_LEN(states); to++) {
			struct call call = { 0 };
			err_t err = state_check_change(&call, states[from], states[to]);

			cr_assert_eq(err, may[from][to] ? OK : ERR_FAILED_PRECONDITION, "%s to %s",
				states[from], states[to]);
			if (err != OK)
				cr_assert_str_eq(call.fault.field, "state");
		}
	}
}

Test(state, attach)
{
	for (size_t i = 0; i < ARRAY_LEN(states); i++) {
		struct call call = { 0 };
		bool good = strcmp(states[i], "approved") == 0;

		cr_assert_eq(state_check_attach(&call, states[i]),
			good ? OK : ERR_FAILED_PRECONDITION, "%s", states[i]);
		if (!good)
			cr_assert_not_null(
				strstr(call.fault.detail, states[i]), "%s", call.fault.detail);
	}
}
