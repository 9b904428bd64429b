/*
 * loop: the agent's one event loop: descriptors by epoll, and timers. Everything in lanyard up runs
 * in its thread; nothing in it blocks.
 */
#pragma once

#include <stdint.h>

struct loop;

/* A descriptor that is watched; embedded in its owner, who sets fd, ready and context. */
struct loop_watch {
	int fd;
	void (*ready)(void *context, uint32_t events); /* EPOLLIN, EPOLLOUT, ... */
	void *context;
};

/* A moment; embedded in its owner, who sets fire and context. */
struct loop_timer {
	void (*fire)(void *context);
	void *context;
	int64_t due_ms;		 /* clock_ms() */
	struct loop_timer *next; /* loop.timers */
};

struct loop *loop_create(void);
void loop_destroy(struct loop *loop); /* NULL is fine */

/* Watches for `events` (0: for errors only); loop_change changes them. Keeps the watch. */
void loop_add(struct loop *loop, struct loop_watch *watch, uint32_t events);
void loop_change(struct loop *loop, struct loop_watch *watch, uint32_t events);

/* Forgets the watch: it is not called again, even if it is ready already. Before its fd is closed.
 */
void loop_remove(struct loop *loop, struct loop_watch *watch);

/* Fires once at `due_ms`, or as soon as possible after; a timer that is set already moves. */
void loop_set_timer(struct loop *loop, struct loop_timer *timer, int64_t due_ms);
void loop_clear_timer(struct loop *loop, struct loop_timer *timer);

/* Runs until loop_stop. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);
