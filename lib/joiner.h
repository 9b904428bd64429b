/*
 * joiner: makes one super-frame of UDP datagrams that follow one another: of the same connection,
 * with headers that differ in nothing but what a kernel fills in when it cuts the super-frame. To
 * write it to a TAP costs little more than to write one of them.
 *
 * Only datagrams whose checksum is still to be made are joined: then no wrong one can become right
 * by it. The data of those that follow are moved to the first one, in place. No memory of its own;
 * embedded in its owner, one thread at a time.
 */
#pragma once

#include "lib/l2.h"

#define JOINER_MAX 64 /* datagrams: no kernel cuts more (UDP_MAX_SEGMENTS) */

struct joiner {
	struct l2_frame frame; /* what was joined; data NULL: nothing */

	/* joiner.c's own */
	uint32_t network, transport, payload; /* offsets in it; payload 0: nothing can follow */
	size_t size;			      /* of the first one's data */
	unsigned n;
};

/* Begins with a frame, whatever it is; it stays where it is, with its header in front. */
void joiner_begin(struct joiner *joiner, const struct l2_frame *frame);

/* Joins a frame that lies behind the others. False: it does not fit, nothing was done. */
bool joiner_add(struct joiner *joiner, const struct l2_frame *frame);

/* Gives out what was joined, its header filled in; joiner->frame is valid until the next begin.
 * False: there is nothing. */
bool joiner_end(struct joiner *joiner, struct l2_frame *out);
