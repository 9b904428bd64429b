/* loop: the order of timers, and that a forgotten watch is never called again. */
#include "agents/loop.h"

#include "lib/clock.h"
#include "lib/mem.h"

#include <criterion/criterion.h>

#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

static struct loop *loop;
static char fired[16];
static struct loop_timer timers[4];

static void fire(void *context)
{
	strncat(fired, context, 1);
	if (strchr(fired, 'd') != NULL)
		loop_stop(loop);
}

static void set(size_t i, int64_t in_ms)
{
	loop_set_timer(loop, &timers[i], clock_ms() + in_ms);
}

static void start(void)
{
	static const char names[] = "abcd";

	loop = loop_create();
	for (size_t i = 0; i < ARRAY_LEN(timers); i++)
		timers[i] = (struct loop_timer){ .fire = fire, .context = (void *)&names[i] };
}

static void finish(void)
{
	loop_destroy(loop);
}

TestSuite(loop, .init = start, .fini = finish);

Test(loop, fires_timers_in_the_order_of_their_times)
{
	set(3, 40);
	set(0, 30);
	set(2, 20);
	set(1, 10);
	set(0, 0); /* moves */
	loop_run(loop);
	cr_assert_str_eq(fired, "abcd");
}

Test(loop, does_not_fire_what_was_cleared)
{
	set(0, 0);
	set(1, 0);
	set(3, 10);
	loop_clear_timer(loop, &timers[0]);
	loop_clear_timer(loop, &timers[2]); /* not set: nothing happens */
	loop_run(loop);
	cr_assert_str_eq(fired, "bd");
}

static int rounds;

static void fire_again(void *context)
{
	if (++rounds < 100)
		loop_set_timer(loop, context, clock_ms());
}

Test(loop, gives_descriptors_a_turn_between_rounds_of_a_timer)
{
	struct loop_timer timer = { .fire = fire_again, .context = &timer };

	loop_set_timer(loop, &timer, clock_ms());
	set(3, 0);
	loop_run(loop);
	cr_assert_eq(rounds, 1, "one round, then the loop looks again");
	loop_clear_timer(loop, &timer);
}

static struct loop_watch watches[2];
static int calls;

static void remove_both(void *context, uint32_t events)
{
	(void)context;
	cr_assert(events & EPOLLIN);
	calls++;
	loop_remove(loop, &watches[0]);
	loop_remove(loop, &watches[1]);
	set(3, 0);
}

Test(loop, forgets_a_watch_that_is_ready_already)
{
	int pipes[2][2];

	for (size_t i = 0; i < 2; i++) {
		cr_assert_eq(pipe(pipes[i]), 0);
		cr_assert_eq(write(pipes[i][1], "x", 1), 1);
		watches[i] = (struct loop_watch){ pipes[i][0], remove_both, NULL };
		loop_add(loop, &watches[i], EPOLLIN);
	}
	loop_run(loop);
	cr_assert_eq(calls, 1);
}
