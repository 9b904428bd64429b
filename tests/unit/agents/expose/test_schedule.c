/* schedule: renewals at two thirds of a certificate's life and a little later; retries that slow
 * down. */
#include "agents/expose/schedule.h"

#include <criterion/criterion.h>

#define DAY INT64_C(86400)

Test(schedule, renewal_is_at_two_thirds_and_up_to_a_24th_later)
{
	int64_t from = 1700000000, until = from + 90 * DAY;
	int64_t least = INT64_MAX, most = 0;

	for (uint32_t i = 0; i < 1000; i++) {
		int64_t at = schedule_renewal_s(from, until, i * 4294967);

		least = at < least ? at : least;
		most = at > most ? at : most;
	}
	cr_expect_eq(schedule_renewal_s(from, until, 0), from + 60 * DAY);
	cr_expect_geq(least, from + 60 * DAY);
	cr_expect_leq(most, from + 64 * DAY);
	cr_expect_gt(most, from + 63 * DAY, "renewals are spread");
}

Test(schedule, nonsense_is_renewed_at_once)
{
	cr_expect_eq(schedule_renewal_s(1000, 1000, 7), 1000);
	cr_expect_eq(schedule_renewal_s(1000, 10, 7), 1000);
}

Test(schedule, retries_double_up_to_three_hours)
{
	cr_expect_eq(schedule_retry_ms(1, 0), 10000);
	cr_expect_eq(schedule_retry_ms(1, 10000), 20000);
	cr_expect_eq(schedule_retry_ms(2, 0), 20000);
	cr_expect_eq(schedule_retry_ms(5, 0), 160000);
	cr_expect_eq(schedule_retry_ms(100, 0), 3 * 3600 * 1000 / 2);
	for (unsigned failures = 1; failures < 40; failures++)
		cr_expect_leq(schedule_retry_ms(failures, UINT32_MAX), 3 * 3600 * 1000);
}
