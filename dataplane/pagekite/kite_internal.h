/*
 * kite_internal: what the files of a link share: kite_link.c has the connection, kite_place.c the
 * streams.
 */
#pragma once

#include "dataplane/pagekite/chunk.h"
#include "dataplane/pagekite/handshake.h"
#include "dataplane/pagekite/kite_link.h"
#include "dataplane/net/stream.h"
#include "dataplane/tunnel/box_stream.h"

struct kite_box {
	struct box box; /* first */
	struct kite_link *link;
	bool http, https;
};

/* A stream: the end that a visitor is joined with. */
struct kite_place {
	struct box_stream base; /* first */
	struct kite_link *link;
	struct kite_box *box;
	uint32_t stream;
	enum mux_kind kind;
	unsigned visitor_port;
	uint64_t sent;	    /* bytes to the kite */
	uint64_t acked_kib; /* of these, taken by its server; once it has told any */
	bool tells_progress;
	uint64_t taken;	   /* bytes of the kite that the visitor has room for */
	size_t waiting;	   /* bytes that came while the place was held */
	uint64_t told_kib; /* of `taken` */
	bool opened, progress_due, stuffed;
	UT_hash_handle hh; /* kite_link.places */
};

struct kite_link {
	struct stream *stream;
	char *greeting; /* NULL: it was said */
	struct kite_box boxes[HANDSHAKE_KITES_MAX];
	size_t n_boxes;
	bool closed;
	char pong[65]; /* "": none is due */
	bool ping_due;
	uint64_t heard_ms;
	unsigned n_ticks, n_stuffed;
	uint32_t last_stream;
	struct kite_place *places;
	struct box_turns turns;
};

struct relay_end *kite_place_create(struct kite_box *box, const struct box_visitor *visitor);
struct kite_place *kite_place_find(struct kite_link *link, uint32_t stream);

/* What came for it. The place may be gone then. */
void kite_place_take(struct kite_place *place, const struct chunk *chunk);
