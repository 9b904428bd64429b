/*
 * fair: what waits for one port. Each flow has a queue of its own and its turns (deficit round
 * robin, flows that send little first), and loses packets when it lets them wait for too long
 * (CoDel, RFC 8289 and 8290). So a bulk transfer costs nobody else his latency, nor much of its
 * own.
 *
 * Bounded in bytes of memory: when there is no room, the longest queue loses its oldest packet.
 * Where much leaves, more may wait. A port for which nothing waits holds no memory. The loop's
 * thread.
 */
#pragma once

#include "lib/frames/packet.h"

#include <stddef.h>
#include <stdint.h>

#define FAIR_BYTES_MAX (1024 * 1024)
#define FAIR_GROWTH    8 /* times as much may wait where as much leaves */

struct fair_flow;

struct fair_list {
	struct fair_flow *first, *last;
};

struct fair {
	struct fair_flows *flows;    /* NULL: nothing waits */
	struct fair_list fresh, old; /* flows that have packets: new ones go first */
	size_t n;		     /* packets */
	size_t bytes;		     /* what they cost of memory */
	size_t bytes_max;	     /* of a queue that stands still; see FAIR_GROWTH */
	size_t left, left_before;    /* bytes that were taken out in this window and the last */
	uint64_t window_us;	     /* when it began */
	uint64_t dropped_full;	     /* there was no room */
	uint64_t dropped_late;	     /* they had waited too long */
	uint64_t dropped_segments;   /* of super-frames that had; what is left of them goes on */
};

void fair_init(struct fair *fair, size_t bytes_max);

/* Forgets all that waits. */
void fair_finish(struct fair *fair);

/* Adds a reference to the packet to its flow; another or this one may be dropped for it. */
void fair_push(struct fair *fair, struct packet *packet, uint64_t now_us);

/* Takes out the packet whose turn it is: the caller has its reference now. NULL: none waits. */
struct packet *fair_pop(struct fair *fair, uint64_t now_us);

/* Frees what is kept for reuse. */
void fair_trim(void);
