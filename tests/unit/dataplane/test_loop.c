/*
 * loop: work comes in from other threads in order, goes out to the pool and comes back, and nothing
 * is taken when the loop has ended.
 */
#include "dataplane/loop.h"

#include <criterion/criterion.h>
#include <pthread.h>

enum { MANY = 1000 };

static struct loop *loop;
static pthread_t loop_thread;
static int order[MANY], n_ran;

static void append(void *arg)
{
	order[n_ran++] = *(int *)arg;
}

static void remember_thread(void *arg)
{
	*(pthread_t *)arg = pthread_self();
}

static void end(void *arg)
{
	(void)arg;
	loop_end(loop);
}

static void stop(void)
{
	cr_assert(loop_call(loop, end, NULL));
	loop_join(loop);
}

Test(loop, runs_tasks_in_order)
{
	static int numbers[MANY];

	cr_assert_eq(loop_start(&loop), OK);
	for (int i = 0; i < MANY; i++) {
		numbers[i] = i;
		cr_assert(loop_post(loop, append, &numbers[i]));
	}
	stop();
	cr_assert_eq(n_ran, MANY);
	for (int i = 0; i < MANY; i++)
		cr_assert_eq(order[i], i);
}

struct errand {
	pthread_t worked_in, done_in;
	bool done;
};

static void work(void *arg)
{
	((struct errand *)arg)->worked_in = pthread_self();
}

static void done(void *arg)
{
	struct errand *errand = arg;

	errand->done_in = pthread_self();
	errand->done = true;
}

static void send_errand(void *arg)
{
	loop_work(loop, work, done, arg);
}

/* The loop does not end before its errands are back. */
Test(loop, works_elsewhere_and_comes_back)
{
	struct errand errand = { .done = false };

	cr_assert_eq(loop_start(&loop), OK);
	cr_assert(loop_call(loop, remember_thread, &loop_thread));
	cr_assert_not(pthread_equal(loop_thread, pthread_self()));
	cr_assert(loop_call(loop, send_errand, &errand));
	stop();
	cr_assert(errand.done);
	cr_assert(pthread_equal(errand.done_in, loop_thread));
	cr_assert_not(pthread_equal(errand.worked_in, loop_thread));
}

static bool taken_after_the_end;

static void end_and_post(void *arg)
{
	loop_end(loop);
	taken_after_the_end = loop_post(loop, append, arg);
}

Test(loop, takes_nothing_after_its_end)
{
	int number = 0;

	cr_assert_eq(loop_start(&loop), OK);
	cr_assert(loop_call(loop, end_and_post, &number));
	loop_join(loop);
	cr_assert_not(taken_after_the_end);
	cr_assert_eq(n_ran, 0);
}
