/*
 * arrivals: whether what was written to sockets has reached the other side. Writing only fills the
 * kernel's buffer, which holds more than most replies; what counts is what the client's kernel has
 * confirmed. A thread of its own looks. Thread safe; an arrival belongs to arrivals from
 * arrivals_wait until its `ready`.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct arrival {
	int fd; /* stays open until `ready` */
	void (*ready)(struct arrival *arrival);
	bool whole; /* for `ready`: all has arrived; else the connection has ended, or takes too
		       long */

	/* arrivals.c's own */
	struct arrival *next; /* arrivals.waiting */
	int64_t until_ms;     /* of the clock; then it is given up */
};

struct arrivals;

struct arrivals *arrivals_start(void);

/* None must be left. NULL is fine. */
void arrivals_stop(struct arrivals *arrivals);

/* Calls `ready` in the own thread as soon as all that was written has arrived, or no longer can,
 * or has not within a minute. */
void arrivals_wait(struct arrivals *arrivals, struct arrival *arrival);
