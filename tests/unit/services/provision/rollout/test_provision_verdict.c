/* What becomes of a rollout, from the counts of its devices. */
#include "services/provision/rollout/verdict.h"

#include "lib/mem.h"

#include <criterion/criterion.h>

Test(provision_verdict, judges)
{
	static const struct {
		const char *what;
		struct rollout_count count;
		enum rollout_verdict want;
	} rows[] = {
		{ "devices wait", { .wave = 1, .size = 10, .waiting = 1, .n_done = 9 },
			ROLLOUT_GO_ON },
		{ "one is under way", { .wave = 1, .size = 10, .awaited = 1, .n_done = 9 },
			ROLLOUT_GO_ON },
		{ "all are through", { .wave = 1, .size = 10, .n_done = 10 }, ROLLOUT_NEXT },
		{ "the rest is silent", { .wave = 2, .size = 10, .n_done = 1 }, ROLLOUT_NEXT },
		{ "all are silent", { .wave = 1, .size = 10 }, ROLLOUT_GO_ON },
		{ "there are none in this wave", { .wave = 1 }, ROLLOUT_NEXT },
		{ "the last wave", { .wave = 3, .size = 10, .n_done = 10 }, ROLLOUT_DONE },
		{ "as many fail as may",
			{ .wave = 1, .size = 100, .awaited = 1, .n_failed = 5, .fail_percent = 5 },
			ROLLOUT_GO_ON },
		{ "one more fails",
			{ .wave = 1, .size = 100, .awaited = 1, .n_failed = 6, .fail_percent = 5 },
			ROLLOUT_STOP },
		{ "the only one fails", { .wave = 1, .size = 1, .n_failed = 1, .fail_percent = 5 },
			ROLLOUT_STOP },
		{ "none may fail", { .wave = 1, .size = 1000, .n_failed = 1 }, ROLLOUT_STOP },
		{ "all may fail", { .wave = 3, .size = 2, .n_failed = 2, .fail_percent = 100 },
			ROLLOUT_DONE },
		{ "the number is reached",
			{ .wave = 3,
				.size = 100000,
				.awaited = 1,
				.n_failed = 3,
				.fail_percent = 5,
				.fail_count = 3 },
			ROLLOUT_STOP },
		{ "the last ones fail",
			{ .wave = 3, .size = 2, .n_done = 1, .n_failed = 1, .fail_percent = 5 },
			ROLLOUT_STOP },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_assert_eq(rollout_judge(&rows[i].count), rows[i].want, "%s", rows[i].what);
}

Test(provision_verdict, no_more_are_told_at_a_time_than_may_be)
{
	static const struct {
		struct rollout_count count;
		int want;
	} rows[] = {
		{ { .waiting = 10, .max_open = 5 }, 5 },
		{ { .waiting = 10, .max_open = 5, .fetching = 3 }, 2 },
		{ { .waiting = 1, .max_open = 5, .fetching = 3 }, 1 },
		{ { .waiting = 10, .max_open = 5, .fetching = 8 }, 0 },
		{ { .waiting = 0, .max_open = 5 }, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_assert_eq(rollout_room(&rows[i].count), rows[i].want, "row %zu", i);
}
