/* The memory of nonces: each is taken once within the window, and it never grows without bound. */
#include "lib/bus_replay.h"

#include "lib/mem.h"

#include <criterion/criterion.h>

#define NOW 1700000000123LL

Test(replay, window)
{
	static const struct {
		int64_t at_ms; /* relative to now */
		enum replay_verdict want;
	} rows[] = {
		{ 0, REPLAY_NEW },
		{ 1, REPLAY_NEW },
		{ -REPLAY_WINDOW_MS, REPLAY_NEW },
		{ REPLAY_WINDOW_MS, REPLAY_NEW },
		{ -REPLAY_WINDOW_MS - 1, REPLAY_STALE },
		{ REPLAY_WINDOW_MS + 1, REPLAY_STALE },
		{ -NOW, REPLAY_STALE },
		{ -NOW - 1, REPLAY_STALE },
	};
	struct replay replay;

	replay_init(&replay);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect_eq(replay_admit(&replay, NOW, NOW + rows[i].at_ms, i + 1), rows[i].want,
			"row %zu", i);
	replay_finish(&replay);
}

/* Time passes; every message of the window is remembered, all along the ring. */
Test(replay, once)
{
	struct replay replay;
	int n_taken = 0;

	replay_init(&replay);
	for (int64_t t = 0; t < 3 * 60000; t += 500) {
		int64_t now = NOW + t;

		n_taken += replay_admit(&replay, now, now, (uint64_t)t + 1) == REPLAY_NEW;
		for (int64_t age = 0; age <= REPLAY_WINDOW_MS && age <= t; age += 500)
			cr_assert_eq(replay_admit(&replay, now, now - age, (uint64_t)(t - age) + 1),
				REPLAY_SEEN);
	}
	cr_expect_eq(n_taken, 360);
	replay_finish(&replay);
}

Test(replay, zero_is_a_nonce)
{
	struct replay replay;

	replay_init(&replay);
	cr_expect_eq(replay_admit(&replay, NOW, NOW, 0), REPLAY_NEW);
	cr_expect_eq(replay_admit(&replay, NOW, NOW, 0), REPLAY_SEEN);
	replay_finish(&replay);
}

/* Nothing is forgotten to make room. */
Test(replay, full)
{
	struct replay replay;
	uint64_t nonce = 1;

	replay_init(&replay);
	while (nonce <= REPLAY_BUCKET_MAX)
		cr_assert_eq(replay_admit(&replay, NOW, NOW, nonce++), REPLAY_NEW);
	cr_expect_eq(replay_admit(&replay, NOW, NOW, nonce), REPLAY_FULL);
	cr_expect_eq(replay_admit(&replay, NOW, NOW, 1), REPLAY_SEEN);
	cr_expect_eq(replay_admit(&replay, NOW, NOW, nonce - 1), REPLAY_SEEN);
	cr_expect_eq(replay_admit(&replay, NOW, NOW + REPLAY_BUCKET_MS, nonce), REPLAY_NEW,
		"room comes with time");
	replay_finish(&replay);
}

/* After our clock was set back the ring can't tell what it has seen: then it refuses. */
Test(replay, clock_set_back)
{
	struct replay replay;
	int64_t later = NOW + REPLAY_N_BUCKETS * REPLAY_BUCKET_MS;

	replay_init(&replay);
	cr_expect_eq(replay_admit(&replay, NOW, NOW, 1), REPLAY_NEW);
	cr_expect_eq(replay_admit(&replay, later, later, 2), REPLAY_NEW);
	cr_expect_neq(replay_admit(&replay, NOW, NOW, 1), REPLAY_NEW);
	replay_finish(&replay);
}
