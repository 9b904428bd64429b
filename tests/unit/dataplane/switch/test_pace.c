/* pace: few frames to many leave at once, much of it only as fast as is good for others. */
#include "dataplane/switch/pace.h"

#include <criterion/criterion.h>

Test(pace, a_thousand_may_leave_at_once)
{
	struct pace pace = { 0 };
	unsigned n = 0;

	while (pace_delay_ms(&pace, 1000000) == 0)
		n++;
	cr_assert(n >= 1000 && n < 1100, "%u", n);
}

Test(pace, rest_makes_good)
{
	struct pace pace = { 0 };
	uint64_t now_us = 1000000;

	while (pace_delay_ms(&pace, now_us) == 0)
		;
	now_us += 64000;
	for (int i = 0; i < 1000; i++)
		cr_assert_eq(pace_delay_ms(&pace, now_us), 0);
}

/* A thousand ports, each written to when its time has come, and then at once waiting again. */
Test(pace, writes_take_a_part_of_the_time)
{
	static uint64_t due_us[1000];
	struct pace pace = { 0 };
	uint64_t writes = 0, longest_ms = 0;

	for (uint64_t now_us = 0; now_us < 10000000; now_us += 1000)
		for (int i = 0; i < 1000; i++) {
			uint64_t delay_ms;

			if (due_us[i] > now_us)
				continue;
			writes++;
			delay_ms = pace_delay_ms(&pace, now_us);
			due_us[i] = now_us + 1000 * delay_ms + 1;
			longest_ms =
				delay_ms > longest_ms && now_us > 1000000 ? delay_ms : longest_ms;
		}
	cr_assert(writes < 10 * 33000, "%lu", writes);
	cr_assert(writes > 10 * 25000, "%lu", writes);
	cr_assert(longest_ms < 40, "%lu", longest_ms);
}
