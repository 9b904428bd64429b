/* loop: see loop.h. */
#include "agents/loop.h"

#include "lib/clock.h"
#include "lib/mem.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define BATCH 16

struct loop {
	int epoll;
	bool running;
	struct loop_timer *timers; /* by due time */
	struct epoll_event
		batch[BATCH]; /* what the last epoll_wait gave; data.ptr NULL: removed since */
	int n_batch;
};

struct loop *loop_create(void)
{
	struct loop *loop = xcalloc(1, sizeof(*loop));

	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll < 0)
		BUG("epoll_create1: %m");
	return loop;
}

void loop_destroy(struct loop *loop)
{
	if (loop == NULL)
		return;
	close(loop->epoll);
	free(loop);
}

static void control(struct loop *loop, int operation, struct loop_watch *watch, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = watch };

	if (epoll_ctl(loop->epoll, operation, watch->fd, &event) < 0)
		BUG("epoll_ctl %d of fd %d: %m", operation, watch->fd);
}

void loop_add(struct loop *loop, struct loop_watch *watch, uint32_t events)
{
	control(loop, EPOLL_CTL_ADD, watch, events);
}

void loop_change(struct loop *loop, struct loop_watch *watch, uint32_t events)
{
	control(loop, EPOLL_CTL_MOD, watch, events);
}

void loop_remove(struct loop *loop, struct loop_watch *watch)
{
	control(loop, EPOLL_CTL_DEL, watch, 0);
	for (int i = 0; i < loop->n_batch; i++)
		if (loop->batch[i].data.ptr == watch)
			loop->batch[i].data.ptr = NULL;
}

void loop_clear_timer(struct loop *loop, struct loop_timer *timer)
{
	for (struct loop_timer **at = &loop->timers; *at != NULL; at = &(*at)->next)
		if (*at == timer) {
			*at = timer->next;
			return;
		}
}

void loop_set_timer(struct loop *loop, struct loop_timer *timer, int64_t due_ms)
{
	struct loop_timer **at = &loop->timers;

	loop_clear_timer(loop, timer);
	while (*at != NULL && (*at)->due_ms <= due_ms)
		at = &(*at)->next;
	timer->due_ms = due_ms;
	timer->next = *at;
	*at = timer;
}

/* Fires what is due now; what a timer sets anew for now waits for the next round. */
static void fire_due(struct loop *loop)
{
	int64_t now_ms = clock_ms();
	struct loop_timer round = { .due_ms = now_ms };

	loop_set_timer(loop, &round, now_ms);
	while (loop->timers != &round) {
		struct loop_timer *timer = loop->timers;

		loop->timers = timer->next;
		timer->fire(timer->context);
	}
	loop_clear_timer(loop, &round);
}

static int wait_ms(const struct loop *loop)
{
	int64_t left_ms;

	if (loop->timers == NULL)
		return -1;
	left_ms = loop->timers->due_ms - clock_ms();
	return left_ms < 0 ? 0 : left_ms > INT_MAX ? INT_MAX : (int)left_ms;
}

void loop_run(struct loop *loop)
{
	loop->running = true;
	while (loop->running) {
		loop->n_batch = epoll_wait(loop->epoll, loop->batch, BATCH, wait_ms(loop));
		if (loop->n_batch < 0 && errno != EINTR)
			BUG("epoll_wait: %m");
		for (int i = 0; i < loop->n_batch; i++) {
			struct loop_watch *watch = loop->batch[i].data.ptr;

			if (watch != NULL)
				watch->ready(watch->context, loop->batch[i].events);
		}
		loop->n_batch = 0;
		fire_due(loop);
	}
}

void loop_stop(struct loop *loop)
{
	loop->running = false;
}
