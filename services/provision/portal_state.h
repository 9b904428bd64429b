/*
 * portal_state: what a portal device is told, from what we want, what it says and what the VPN has
 * seen. Pure, any thread.
 */
#pragma once

#include "lib/slot.h"

#include <stdbool.h>
#include <stdint.h>

#define PORTAL_ENABLED 2 /* wire: use what you have */
#define PORTAL_UPDATE  3 /* wire: fetch the package */

#define PORTAL_INTERVAL_MIN SLOT_INTERVAL_MIN
#define PORTAL_INTERVAL_MAX SLOT_INTERVAL_MAX
#define PORTAL_UPDATE_MAX   900 /* what a device that does not get on backs off to */

/* Numbers of packages; 0: none. */
struct portal_state {
	bool approved;
	int current, delivered, acknowledged;
	int unanswered; /* polls that were told to fetch since the last acknowledgement */
	int interval_s, update_interval_s, disabled_interval_s, disable_code; /* of the tenant */
};

/* The status on the wire. */
int portal_state_status(const struct portal_state *state);

/* Seconds between two polls of a device that has nothing to fetch. */
int portal_state_usual_interval(const struct portal_state *state);

/*
 * Seconds until the next poll. A device that has to fetch comes back soon, and later each time that
 * it does not get on. All others get a time slot of their own within the interval, so that a fleet
 * that came back all at once is spread evenly from then on; `random` moves it by 5 % at most.
 */
int portal_state_interval(
	const struct portal_state *state, const char *serial, int64_t now_s, uint32_t random);
