/*
 * bus_replay: the nonces seen within the time that a message stays fresh, so that none is taken
 * twice. Bounded: when there are more than it has room for, a new one is refused rather than an old
 * one forgotten. Only nonces of authenticated messages go in. Thread safe.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define REPLAY_WINDOW_MS  30000 /* how far a message's time may be from ours, either way */
#define REPLAY_BUCKET_MS  4000
#define REPLAY_N_BUCKETS  (2 * REPLAY_WINDOW_MS / REPLAY_BUCKET_MS + 1)
#define REPLAY_BUCKET_MAX (1 << 18) /* nonces: 65,000 messages a second, 4 MB a bucket */

enum replay_verdict { REPLAY_NEW, REPLAY_STALE, REPLAY_SEEN, REPLAY_FULL };

/* The nonces of messages that were sealed in one span of time: an open-addressed hash. */
struct replay_bucket {
	int64_t number; /* time / REPLAY_BUCKET_MS */
	uint64_t *slots;
	size_t size; /* a power of two, or 0 */
	size_t n;
};

struct replay {
	pthread_mutex_t mutex;				/* guards all */
	struct replay_bucket buckets[REPLAY_N_BUCKETS]; /* by number % REPLAY_N_BUCKETS */
};

void replay_init(struct replay *replay);
void replay_finish(struct replay *replay);

/* Is the time of a message near enough to ours? */
bool replay_fresh(int64_t now_ms, int64_t at_ms);

/* Takes note of a message sealed at `at_ms` with the random number `nonce`; anything but REPLAY_NEW
 * means: refuse it. */
enum replay_verdict replay_admit(
	struct replay *replay, int64_t now_ms, int64_t at_ms, uint64_t nonce);
