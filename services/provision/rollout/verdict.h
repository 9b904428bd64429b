/* verdict: what becomes of a rollout, from what became of its devices. Pure, any thread. */
#pragma once

#define ROLLOUT_WAVES 3

struct rollout_count {
	int wave;
	int size;     /* devices of the waves so far */
	int waiting;  /* of those, not yet told */
	int awaited;  /* told, not through, and heard of not long ago */
	int fetching; /* told, and have not said that they use it */
	int n_done, n_failed;
	int max_open, fail_percent, fail_count;
};

enum rollout_verdict {
	ROLLOUT_GO_ON,
	ROLLOUT_STOP, /* too many failed */
	ROLLOUT_NEXT, /* the wave is over: the next one begins */
	ROLLOUT_DONE,
};

/* Devices that are silent are not waited for, but a wave without any success is never over: nothing
 * is known of the package then. */
enum rollout_verdict rollout_judge(const struct rollout_count *count);

/* How many more devices may be told now. */
int rollout_room(const struct rollout_count *count);
