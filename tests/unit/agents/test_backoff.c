/* backoff: delays, what follows which ending, when to renew, when to ping. */
#include "agents/backoff.h"

#include "lib/mem.h"

#include <criterion/criterion.h>

Test(backoff, delays_double_up_to_a_limit)
{
	static const struct {
		unsigned failures;
		int64_t most;
	} rows[] = {
		{ 0, 200 },
		{ 1, 400 },
		{ 2, 800 },
		{ 3, 1600 },
		{ 4, 3200 },
		{ 5, 6400 },
		{ 6, 12800 },
		{ 7, 25600 },
		{ 8, 30000 },
		{ 9, 30000 },
		{ 31, 30000 },
		{ 32, 30000 },
		{ 4294967295, 30000 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t least = backoff_delay_ms(rows[i].failures, 0);
		int64_t most = 0;

		cr_expect_eq(least, rows[i].most / 2, "%u", rows[i].failures);
		for (uint32_t random = 0; random < 40000; random++) {
			int64_t delay = backoff_delay_ms(rows[i].failures, random);

			cr_assert(delay >= least && delay <= rows[i].most);
			most = delay > most ? delay : most;
		}
		cr_expect_eq(most, rows[i].most, "%u", rows[i].failures);
	}
}

/* One ending, from a state with 2 URLs to choose from, and the state and plan after it. */
Test(backoff, plans)
{
	static const struct {
		const char *what;
		struct ending ending;
		struct backoff before, after;
		int64_t delay_ms; /* the least; random is 0 */
		bool attach;
	} rows[] = {
		{ "the first node does not answer", { END_UNREACHABLE, 0, 0 }, { 0, 0 }, { 0, 1 },
			0, false },
		{ "neither does the second", { END_UNREACHABLE, 0, 0 }, { 0, 1 }, { 1, 0 }, 100,
			false },
		{ "in the next round", { END_UNREACHABLE, 0, 0 }, { 1, 1 }, { 2, 0 }, 200, false },
		{ "the node is overloaded", { END_REFUSED, 503, 0 }, { 0, 0 }, { 0, 1 }, 0, false },
		{ "all are", { END_REFUSED, 503, 0 }, { 3, 1 }, { 4, 0 }, 800, false },
		{ "the token is refused", { END_REFUSED, 401, 0 }, { 0, 0 }, { 1, 0 }, 100, true },
		{ "by the second", { END_REFUSED, 403, 0 }, { 2, 1 }, { 3, 0 }, 400, true },
		{ "broken at once", { END_LOST, 0, 10 }, { 2, 1 }, { 3, 0 }, 400, false },
		{ "broken after a good session", { END_LOST, 0, 5000 }, { 7, 1 }, { 1, 0 }, 100,
			false },
		{ "the node stops", { END_CLOSED, 1001, 60000 }, { 7, 1 }, { 1, 0 }, 0, false },
		{ "the node restarts", { END_CLOSED, 1012, 60000 }, { 7, 0 }, { 1, 0 }, 0, false },
		{ "it stops again at once", { END_CLOSED, 1001, 10 }, { 1, 0 }, { 2, 0 }, 200,
			false },
		{ "it closes for no reason", { END_CLOSED, 1000, 60000 }, { 7, 0 }, { 1, 0 }, 100,
			false },
		{ "it does not want us", { END_CLOSED, 1008, 10 }, { 0, 0 }, { 1, 0 }, 100, true },
		{ "any more", { END_CLOSED, 1008, 60000 }, { 5, 1 }, { 1, 0 }, 100, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct backoff backoff = rows[i].before;
		struct plan plan = backoff_plan(&backoff, &rows[i].ending, 2, 0);

		cr_expect_eq(plan.delay_ms, rows[i].delay_ms, "%s: %d ms", rows[i].what,
			(int)plan.delay_ms);
		cr_expect_eq(plan.attach, rows[i].attach, "%s", rows[i].what);
		cr_expect_eq(backoff.failures, rows[i].after.failures, "%s", rows[i].what);
		cr_expect_eq(backoff.url, rows[i].after.url, "%s", rows[i].what);
	}
}

/* Whatever a node does, attempts never come faster than the back-off after the first few. */
Test(backoff, never_spins)
{
	static const struct ending endings[] = {
		{ END_UNREACHABLE, 0, 0 },
		{ END_REFUSED, 401, 0 },
		{ END_REFUSED, 500, 0 },
		{ END_LOST, 0, 1 },
		{ END_CLOSED, 1001, 1 },
		{ END_CLOSED, 1012, 1 },
		{ END_CLOSED, 1008, 1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
		struct backoff backoff = { 0 };
		int64_t total_ms = 0;

		for (int n = 0; n < 80; n++)
			total_ms += backoff_plan(&backoff, &endings[i], 8, 0).delay_ms;
		cr_expect(total_ms > 20000, "ending %zu: 80 in %d ms", i, (int)total_ms);
	}
}

Test(backoff, renews_before_the_end)
{
	for (uint32_t random = 0; random < 100000; random += 7) {
		int64_t ms = backoff_refresh_ms(600000, random);

		cr_assert(ms >= 450000 && ms <= 510000);
	}
	cr_expect(backoff_refresh_ms(1000, 4294967295u) < 1000);
}

Test(backoff, looks_after_the_peer)
{
	static const struct {
		int64_t now, heard, pinged;
		enum keepalive want;
		int64_t next;
	} rows[] = {
		{ 1000, 1000, 0, KEEPALIVE_WAIT, 11000 },
		{ 10999, 1000, 0, KEEPALIVE_WAIT, 11000 },
		{ 11000, 1000, 0, KEEPALIVE_PING, 21000 },
		{ 15000, 1000, 11000, KEEPALIVE_WAIT, 21000 },
		{ 15000, 11001, 11000, KEEPALIVE_WAIT, 21001 }, /* the pong came */
		{ 21000, 1000, 11000, KEEPALIVE_PING, 31000 },
		{ 22000, 1000, 21500, KEEPALIVE_WAIT, 31000 }, /* not after its death */
		{ 30999, 1000, 21000, KEEPALIVE_WAIT, 31000 },
		{ 31000, 1000, 21000, KEEPALIVE_DEAD, 0 },
		{ 99000, 1000, 98000, KEEPALIVE_DEAD, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t next = 0;

		cr_expect_eq(
			keepalive_look(rows[i].now, rows[i].heard, rows[i].pinged, true, &next),
			rows[i].want, "row %zu", i);
		cr_expect_eq(next, rows[i].next, "row %zu: %d", i, (int)next);
	}
}

Test(backoff, the_silence_of_who_never_answered_means_nothing)
{
	int64_t next = 0;

	cr_expect_eq(keepalive_look(1000000, 0, 990000, false, &next), KEEPALIVE_PING);
	cr_expect_eq(next, 1010000);
	cr_expect_eq(keepalive_look(1000000, 0, 995000, false, &next), KEEPALIVE_WAIT);
	cr_expect_eq(next, 1005000);
}
