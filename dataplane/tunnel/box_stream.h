/*
 * box_stream: a stream of a box's link as an end of a relay, whatever the protocol of the link is:
 * its turns at writing, its timer, and how it ends on both sides. The loop's thread.
 */
#pragma once

#include "dataplane/relay/relay.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct box_stream;

/* What the protocols do differently. */
struct box_stream_kind {
	struct end_transport transport; /* BOX_STREAM_TRANSPORT */
	bool (*has_more)(const struct box_stream *stream);
	/* Writes what is next, one frame; false: there was no room. */
	bool (*write)(struct box_stream *stream);
	void (*wake)(struct box_stream *stream);     /* the link: it has something to write */
	void (*released)(struct box_stream *stream); /* its visitor takes bytes again */
	void (*leave)(struct box_stream *stream);    /* its link and box: it is over */
};

/* The streams of one link that have something to write, and those that wrote in this fill. */
struct box_turns {
	struct box_stream *ready, *wrote;
};

/* The first member of a protocol's own stream, which is one allocation. */
struct box_stream {
	struct relay_end relay; /* first */
	const struct box_stream_kind *kind;
	struct box_turns *turns;
	bool end_due, reset_due; /* to be told */
	bool end_sent, reset_sent;
	bool held; /* its visitor takes nothing now */
	bool ready, wrote;
	int64_t due_ms; /* of its timer; 0: not set */
	struct box_stream *prev, *next, *next_wrote;
};

#define BOX_STREAM_TRANSPORT(word)                                                                 \
	{                                                                                          \
		.name = word, .wake = box_stream_on_wake, .hold = box_stream_on_hold,              \
		.set_timer = box_stream_on_set_timer, .close = box_stream_on_close,                \
		.finish = box_stream_on_finish, .shut = box_stream_on_shut,                        \
	}

void box_stream_init(struct box_stream *stream, const struct box_stream_kind *kind,
	struct box_turns *turns, const char *address);

/* Gives it a turn if it has something to write. */
void box_stream_wake(struct box_stream *stream);

/* Has it written all that its visitor sent; then is its last word due? */
bool box_stream_is_flushed(const struct box_stream *stream);
bool box_stream_last_is_due(const struct box_stream *stream);

/* The box sent bytes for the visitor, or nothing more. The stream may be gone after the latter. */
void box_stream_received(struct box_stream *stream, const uint8_t *data, size_t len);
void box_stream_ended(struct box_stream *stream);

/* `len` of the visitor's bytes were written. */
void box_stream_sent(struct box_stream *stream, size_t len);

/* It is to be told that nobody is there any more. */
void box_stream_reset(struct box_stream *stream);

/* Forgets the stream: its visitor is told by the relay. */
void box_stream_gone(struct box_stream *stream);

/* The link is gone: so are the stream and its visitor. */
void box_stream_drop(struct box_stream *stream);
void box_stream_tick(struct box_stream *stream, int64_t now_ms);

/* Streams write in their turns, until all is written or there is no room. After the flush, which
 * needs their bytes, box_turns_filled; streams may be gone then. */
void box_turns_write(struct box_turns *turns);
void box_turns_filled(struct box_turns *turns);

/* For BOX_STREAM_TRANSPORT only. */
void box_stream_on_wake(struct end *end);
void box_stream_on_hold(struct end *end, bool held);
void box_stream_on_set_timer(struct end *end, unsigned ms);
void box_stream_on_close(struct end *end, enum ws_status code, const char *reason);
void box_stream_on_finish(struct end *end, enum ws_status code, const char *reason);
void box_stream_on_shut(struct end *end);
