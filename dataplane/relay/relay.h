/*
 * relay: two ends whose bytes flow into each other. The loop's thread.
 *
 * What one sends waits in the other's queue; while that is full the one is not read. Messages are
 * passed on piece by piece, text as text and binary as binary, so they may have any length. When
 * one end closes, the other one gets what is still on its way to it first; when one only ends its
 * sending side, the other direction goes on.
 */
#pragma once

#include "dataplane/relay/end.h"

#include <stdbool.h>

#define RELAY_HALF_MS 60000 /* without a byte in the other direction, after one has ended */

struct relay_end;

/* What an end does that is not passing on bytes. */
struct relay_hooks {
	/* It sent something while it was alone. */
	void (*received)(struct relay_end *one, const struct pipe_piece *piece);
	/* May it be passed on? If not, the hook has closed the end. NULL: all may. */
	bool (*passes)(struct relay_end *one, const struct pipe_piece *piece);
	/* Its partner has gone: close it, as this kind of end is closed. */
	void (*parted)(struct relay_end *one);
	void (*drained)(struct relay_end *one); /* while it is alone; or NULL */
	void (*timer)(struct relay_end *one);	/* while it is alone; or NULL */
	void (*idle)(struct relay_end *one);	/* its timer while it is joined; or NULL */
	void (*closed)(struct relay_end *one);	/* last of all */
};

struct relay_end {
	struct end end;
	const struct relay_hooks *hooks;
	struct relay_end *partner; /* NULL: alone */
	bool quiet;		   /* nothing may be sent to it yet */
	bool over;		   /* it has ended first, and its partner was parted from it */
	bool cut;		   /* its partner has gone without having ended */
	uint64_t tx_bytes;	   /* once it has ended: what was written to it at the last look */
};

/* After end_of_...: its face is the relay's from now on. */
void relay_init(struct relay_end *one, const struct relay_hooks *hooks);

/* Both are alone. */
void relay_join(struct relay_end *one, struct relay_end *other);

/* Is it not read just now, because its partner can take no more? */
bool relay_is_held(const struct relay_end *one);

/* Nothing of the partner is sent to it before its own first bytes, or `ms` from now. */
void relay_keep_quiet(struct relay_end *one, unsigned ms);
