/*
 * box_internal: what the files of a link share: box_link.c has the connection and its frames,
 * box_place.c the streams.
 */
#pragma once

#include "dataplane/net/channel.h"
#include "dataplane/tunnel/box_stream.h"
#include "dataplane/tunnel/boxes.h"

/* A stream: the end that a visitor is joined with. */
struct place {
	struct box_stream base; /* first */
	struct box_link *link;
	uint32_t stream;
	enum mux_kind kind;
	uint32_t credit;	/* bytes that may be sent to the device */
	struct mux_grant grant; /* that it may send */
	size_t waiting;		/* bytes of it that came while the place was held */
	uint32_t credit_due;	/* to be told */
	bool open_due;
	UT_hash_handle hh; /* box_link.places */
};

struct box_link {
	struct box box; /* first */
	struct channel *channel;
	bool closed; /* no frame counts any more */
	bool retire_due;
	bool proxy_protocol;
	unsigned n_ticks;
	struct mux_reader reader;
	uint32_t last_stream;
	uint32_t budget; /* for the windows of its streams */
	struct place *places;
	struct box_turns turns;
};

/* ---- box_place.c ---- */

struct relay_end *place_create(struct box_link *link, const struct box_visitor *visitor);
struct place *place_find(struct box_link *link, uint32_t stream);

/* What came for it; false: the device breaks the protocol. */
bool place_take(struct place *place, const struct mux_frame *frame);
