/*
 * pipe: what waits to be written to one end of a relay: pieces of messages, first in first out. It
 * copies, so that a few bytes never hold a whole block of the socket's; it owns no memory while it
 * is empty. It has no bound of its own: who fills it holds the source when it is full. Embedded in
 * its owner; the loop's thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PIPE_FULL  (256 * 1024) /* from here on its source is to be held */
#define PIPE_DRAIN (64 * 1024)	/* down here it may go on */

/* A part of a message. Bytes of a stream are a piece that begins and ends one. */
struct pipe_piece {
	const uint8_t *data;
	size_t len;
	bool text;
	bool first; /* begins a message */
	bool final; /* ends it */
};

struct pipe_chunk;

struct pipe {
	struct pipe_chunk *first, *last;
	struct pipe_chunk *spent; /* taken out, still to be read by who took it */
	size_t taken;		  /* bytes of the first piece */
	size_t bytes;		  /* of payload */
};

/* Forgets all that waits. Zeroed is a good start. */
void pipe_finish(struct pipe *pipe);

void pipe_push(struct pipe *pipe, const struct pipe_piece *piece);

/* The first piece, its bytes valid until pipe_release; false: nothing waits. */
bool pipe_peek(const struct pipe *pipe, struct pipe_piece *piece);

/* Takes `len` bytes of the first piece out; all of them: the piece is over. */
void pipe_take(struct pipe *pipe, size_t len);

/* What was taken is not read any more: frees its memory. */
void pipe_release(struct pipe *pipe);

bool pipe_is_empty(const struct pipe *pipe);
