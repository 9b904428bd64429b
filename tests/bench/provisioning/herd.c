/*
 * herd: 100,000 devices in virtual time, which all come back within ten seconds of a total outage
 * and then do what the portal tells them. Prints the most polls of a second in the first three
 * cycles of 900 seconds, how many devices stopped asking, and the longest time that one was silent.
 */
#include "services/provision/portal_state.h"

#include <stdio.h>
#include <stdlib.h>

#define DEVICES	   100000
#define BACK_S	   10
#define INTERVAL_S 900
#define CYCLES	   8
#define END_S	   (CYCLES * INTERVAL_S)
#define START_S	   INT64_C(1700000000)

static int asked[END_S];

static int peak(int from_s, int to_s)
{
	int most = 0;

	for (int at = from_s; at < to_s; at++)
		most = asked[at] > most ? asked[at] : most;
	return most;
}

int main(void)
{
	static const struct portal_state enabled = { .approved = true,
		.current = 1,
		.delivered = 1,
		.acknowledged = 1,
		.interval_s = INTERVAL_S };
	int stuck = 0, longest_s = 0;

	srandom(1);
	for (int n = 0; n < DEVICES; n++) {
		int64_t at = n % BACK_S;
		int polls = 0;
		char serial[16];

		snprintf(serial, sizeof(serial), "SN-%06d", n);
		while (at < END_S) {
			int wait_s = portal_state_interval(
				&enabled, serial, START_S + at, (uint32_t)random());

			asked[at]++;
			polls++;
			longest_s = wait_s > longest_s ? wait_s : longest_s;
			at += wait_s;
		}
		stuck += polls < CYCLES - 2;
	}
	printf("%d %d %d %d %d\n", peak(0, BACK_S), peak(BACK_S, 2 * INTERVAL_S),
		peak(2 * INTERVAL_S, 3 * INTERVAL_S), stuck, longest_s);
	return 0;
}
