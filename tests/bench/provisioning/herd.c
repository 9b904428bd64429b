/*
 * herd: 100,000 devices in virtual time, which all come back within ten seconds of a total outage
 * and then do what the portal tells them. usage: herd POLLS; the portal answers so many a second,
 * the first that came first; 0: all at once. Who is not answered within 30 seconds gives up and
 * comes again a minute later, as nothing is public of what devices do. Prints the most polls of a
 * second in the first three cycles of 900 seconds, how many devices stopped asking, how often one
 * gave up, and when the last one had its first answer.
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
#define PATIENCE_S 30
#define RETRY_S	   60

struct device {
	int next; /* of those that come in the same second; 0: none */
	int answers;
};

static struct {
	struct device devices[DEVICES + 1]; /* from 1 */
	int first[END_S], last[END_S];	    /* those that come in this second, in their order */
	int asked[END_S];
	int given_up, all_answered_s;
} herd;

static void come(int device, int at_s)
{
	if (at_s >= END_S)
		return;
	herd.devices[device].next = 0;
	if (herd.first[at_s] == 0)
		herd.first[at_s] = device;
	else
		herd.devices[herd.last[at_s]].next = device;
	herd.last[at_s] = device;
	herd.asked[at_s]++;
}

static void answer(int device, int now_s)
{
	static const struct portal_state enabled = { .approved = true,
		.current = 1,
		.delivered = 1,
		.acknowledged = 1,
		.interval_s = INTERVAL_S };
	char serial[16];

	snprintf(serial, sizeof(serial), "SN-%06d", device);
	if (herd.devices[device].answers++ == 0)
		herd.all_answered_s = now_s;
	come(device, now_s + portal_state_interval(
				     &enabled, serial, START_S + now_s, (uint32_t)random()));
}

/* Those that came in `came_s` and still wait: as many as there is time for are answered. */
static int serve(int came_s, int now_s, int left)
{
	int device;

	while ((device = herd.first[came_s]) != 0 && left > 0) {
		herd.first[came_s] = herd.devices[device].next;
		answer(device, now_s);
		left--;
	}
	while (now_s - came_s >= PATIENCE_S && (device = herd.first[came_s]) != 0) {
		herd.first[came_s] = herd.devices[device].next;
		herd.given_up++;
		come(device, now_s + RETRY_S);
	}
	return left;
}

static int peak(int from_s, int to_s)
{
	int most = 0;

	for (int at = from_s; at < to_s; at++)
		most = herd.asked[at] > most ? herd.asked[at] : most;
	return most;
}

int main(int argc, char **argv)
{
	int polls = argc > 1 ? atoi(argv[1]) : 0, stuck = 0;

	srandom(1);
	for (int device = 1; device <= DEVICES; device++)
		come(device, device % BACK_S);
	for (int now_s = 0; now_s < END_S; now_s++) {
		int left = polls > 0 ? polls : DEVICES;

		for (int at = now_s > PATIENCE_S ? now_s - PATIENCE_S : 0; at <= now_s; at++)
			left = serve(at, now_s, left);
	}
	for (int device = 1; device <= DEVICES; device++)
		stuck += herd.devices[device].answers < CYCLES - 3;
	printf("%d %d %d %d %d %d\n", peak(0, BACK_S), peak(BACK_S, 2 * INTERVAL_S),
		peak(2 * INTERVAL_S, 3 * INTERVAL_S), stuck, herd.given_up, herd.all_answered_s);
	return 0;
}
