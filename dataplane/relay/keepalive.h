/*
 * keepalive: notices a joined client that is gone without a word, and a pair that carries nothing.
 * The loop's thread.
 *
 * A silent WebSocket client is pinged, since proxies on the way and NAT forget a connection without
 * traffic; who answers none of three pings is gone. Of other connections TCP itself finds out.
 */
#pragma once

#include <stdint.h>

struct guest;

struct keepalive {
	uint64_t bytes;	    /* that went either way by moved_ms */
	int64_t moved_ms;   /* the last time that any did */
	int64_t excused_ms; /* until then it could not be heard, or had much to read first */
	int64_t pinged_ms;
};

/* The guest is joined now. */
void keepalive_begin(struct guest *guest);

/* Again and again while it is: pings it, or closes it. */
void keepalive_check(struct guest *guest);
