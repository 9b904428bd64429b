/*
 * box_internal: what the files of a link share: box_link.c has the connection and its frames,
 * box_place.c the streams.
 */
#pragma once

#include "dataplane/net/channel.h"
#include "dataplane/tunnel/boxes.h"

#include <utlist.h>

/* A stream: the end that a visitor is joined with. */
struct place {
	struct relay_end relay; /* first */
	struct box_link *link;
	uint32_t stream;
	enum mux_kind kind;
	uint32_t credit;	/* bytes that may be sent to the device */
	struct mux_grant grant; /* that it may send */
	size_t waiting;		/* bytes of it that came while the place was held */
	uint32_t credit_due;	/* to be told */
	bool open_due, end_due, reset_due;
	bool end_sent, reset_sent;
	bool held;
	bool ready;		   /* in box_link.ready */
	bool wrote;		   /* in box_link.wrote */
	int64_t due_ms;		   /* of its timer; 0: not set */
	struct place *prev, *next; /* box_link.ready: has something to write, in turn */
	struct place *next_wrote;  /* box_link.wrote: wrote in this fill */
	UT_hash_handle hh;	   /* box_link.places */
};

struct box_link {
	struct box box; /* first */
	struct channel *channel;
	bool closed; /* no frame counts any more */
	bool proxy_protocol;
	unsigned n_ticks;
	struct mux_reader reader;
	uint32_t last_stream;
	uint32_t budget; /* for the windows of its streams */
	struct place *places;
	struct place *ready, *wrote;
};

/* ---- box_place.c ---- */

struct relay_end *place_create(struct box_link *link, const struct box_visitor *visitor);
struct place *place_find(struct box_link *link, uint32_t stream);

/* What came for it; false: the device breaks the protocol. */
bool place_take(struct place *place, const struct mux_frame *frame);

/* Writes what is next, of DATA one frame; false: there was no room. */
bool place_write(struct place *place);

/* After a fill in which it wrote; it may be gone then. */
void place_filled(struct place *place);

bool place_has_more(const struct place *place);
void place_tick(struct place *place, int64_t now_ms);

/* The link is gone: so are the place and its visitor. */
void place_drop(struct place *place);
