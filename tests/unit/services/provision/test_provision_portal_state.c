/* test_provision_portal_state: what devices are told, and what a whole fleet does to us then. */
#include "services/provision/portal_state.h"

#include "lib/mem.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DISABLE_CODE 1

static const struct {
	bool approved;
	int current, delivered, acknowledged, want;
} statuses[] = {
	{ false, 1, 1, 1, DISABLE_CODE }, { true, 0, 0, 0, DISABLE_CODE },
	{ true, 1, 0, 0, PORTAL_UPDATE }, { true, 1, 1, 0, PORTAL_UPDATE },
	{ true, 1, 1, 1, PORTAL_ENABLED }, { true, 2, 1, 1, PORTAL_UPDATE },
	{ true, 1, 2, 2, PORTAL_UPDATE }, /* taken back */
};

Test(portal_state, status)
{
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
		const struct portal_state state = {
			.approved = statuses[i].approved,
			.current = statuses[i].current,
			.delivered = statuses[i].delivered,
			.acknowledged = statuses[i].acknowledged,
			.interval_s = 900,
			.disable_code = DISABLE_CODE,
		};

		cr_assert_eq(portal_state_status(&state), statuses[i].want, "row %zu", i);
	}
}

/* Contract statement 78, with every extreme at once. */
Test(portal_state, interval_is_always_within_its_limits)
{
	static const int intervals[] = { 10, 11, 19, 20, 60, 900, 86400 };

	srandom(1);
	for (size_t i = 0; i < ARRAY_LEN(intervals); i++)
		for (int n = 0; n < 20000; n++) {
			struct portal_state state = {
				.approved = n % 3 != 0,
				.current = 1,
				.acknowledged = n % 2,
				.unanswered = n % 101,
				.interval_s = intervals[i],
				.update_interval_s = i % 2 != 0 ? 10 : PORTAL_UPDATE_MAX,
				.disabled_interval_s = intervals[i],
			};
			char serial[16];
			int wait_s;

			snprintf(serial, sizeof(serial), "%d", n);
			wait_s = portal_state_interval(&state, serial, random() * (int64_t)random(),
				(uint32_t)random() * 2U);
			cr_assert_geq(wait_s, PORTAL_INTERVAL_MIN);
			cr_assert_leq(wait_s, PORTAL_INTERVAL_MAX);
		}
}

/* Contract, U7: a device that has to fetch comes back after the first interval, then twice as late
 * each time; one that is disabled within its own. */
Test(portal_state, each_state_has_its_interval)
{
	struct portal_state state = { .approved = true,
		.current = 1,
		.interval_s = 3600,
		.update_interval_s = 40,
		.disabled_interval_s = 600 };
	static const int backed_off[] = { 40, 80, 160, 320, 640, 900, 900 };

	for (size_t i = 0; i < ARRAY_LEN(backed_off); i++) {
		state.unanswered = (int)i;
		cr_assert_eq(portal_state_interval(&state, "WE-1", 0, 0), backed_off[i]);
	}
	state.acknowledged = 1;
	cr_assert_eq(portal_state_usual_interval(&state), 3600);
	cr_assert_geq(portal_state_interval(&state, "WE-1", 0, 0), 3600 / 2 - 3600 / 20);
	state.approved = false;
	cr_assert_eq(portal_state_usual_interval(&state), 600);
	cr_assert_leq(portal_state_interval(&state, "WE-1", 0, 0), 600 + 600 / 2 + 600 / 20);
}

/* ---- a fleet in virtual time ---- */

#define DEVICES	   100000
#define INTERVAL_S 900
#define CYCLES	   4
#define BACK_S	   10 /* the power is back: all of them ask within these seconds */

static int asked[(CYCLES + 2) * 2 * INTERVAL_S];

static int peak_of(int from_s, int to_s)
{
	int peak = 0;

	for (int at = from_s; at < to_s; at++)
		if (asked[at] > peak)
			peak = asked[at];
	return peak;
}

/* The even load is 111 a second. From the second cycle on there is no herd, and nobody is lost. */
Test(portal_state, a_fleet_that_comes_back_at_once_is_spread_within_one_interval)
{
	static const struct portal_state enabled = { .approved = true,
		.current = 1,
		.delivered = 1,
		.acknowledged = 1,
		.interval_s = INTERVAL_S };

	srandom(2);
	for (int n = 0; n < DEVICES; n++) {
		int64_t at = n % BACK_S;
		int polls = 0;
		char serial[16];

		snprintf(serial, sizeof(serial), "SN-%06d", n);
		while (at < CYCLES * INTERVAL_S) {
			asked[at]++;
			polls++;
			at += portal_state_interval(
				&enabled, serial, 1700000000 + at, (uint32_t)random());
		}
		cr_assert_geq(polls, CYCLES - 2, "a device is stuck");
	}
	cr_assert_geq(peak_of(0, BACK_S), DEVICES / BACK_S);
	cr_assert_leq(peak_of(BACK_S, 3 * INTERVAL_S / 2), 2 * DEVICES / INTERVAL_S);
	cr_assert_leq(peak_of(3 * INTERVAL_S / 2, CYCLES * INTERVAL_S), 2 * DEVICES / INTERVAL_S);
}
