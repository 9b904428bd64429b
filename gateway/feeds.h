/*
 * feeds: replies that go on: their senders are asked again and again for what there is to send.
 * Threads of its own do that, few, so that a sender that waits for the bus holds up other feeds at
 * most. Thread safe; a feeding belongs to feeds from feeds_wait until its `ready`.
 */
#pragma once

#include "gateway/crew.h"
#include "lib/call.h"

#include <stdbool.h>
#include <stddef.h>

/* Who sends. */
struct feed {
	/* What there is to send now: text in the call's arena, "" if nothing. Sets `over` with the
	 * last of it. May block on the bus. */
	const char *(*next)(struct feed *feed, struct call *call, bool *over);
	void (*closed)(struct feed *feed); /* the reply has ended; last of all */
	bool eager; /* always has something to send until it is over: is asked again at once */
};

/* A feed and what it has to send. */
struct feeding {
	struct job job; /* first */
	struct feed *feed;
	const struct call *call; /* of the request: tenant and actor */
	void (*ready)(struct feeding *feeding);
	char *text;
	size_t len, sent;
	bool over;

	/* feeds.c's own */
	struct feeds *feeds;
	struct feeding *next; /* feeds.waiting */
};

struct feeds;

struct feeds *feeds_start(struct bus *bus);

/* All feeds are over: those that wait, and those that come. */
void feeds_end(struct feeds *feeds);

/* None must be left. NULL is fine. */
void feeds_stop(struct feeds *feeds);

/* Asks feed->next each second (an eager one at once) until there is something to send or it is
 * over; then calls `ready` in some thread. */
void feeds_wait(struct feeds *feeds, struct feeding *feeding);
