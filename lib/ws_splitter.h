/*
 * ws_splitter: WebSocket frames (RFC 6455) cut out of bytes as they come, without a buffer: a
 * message is given out in pieces, as much of a frame as is there, unmasked in place. For those who
 * pass messages on or look at them whole only by chance; ws.h has the reader that joins them.
 *
 * No I/O and no allocation. An object belongs to one thread at a time.
 */
#pragma once

#include "lib/utf8.h"
#include "lib/ws.h"

struct ws_splitter {
	enum ws_role role;	   /* this end's */
	enum ws_opcode opcode;	   /* of the message under way; WS_CONTINUATION: none is */
	bool first;		   /* nothing of it was given out yet */
	bool fin;		   /* its last frame is under way */
	bool inside;		   /* a frame is under way */
	uint64_t left;		   /* of its payload */
	uint8_t mask[WS_MASK_LEN]; /* turned so that the next byte has the first one */
	struct utf8_state text;
	enum ws_status status; /* why it is broken */
	const char *why;       /* in words; NULL: it isn't */
};

/* A piece of a message, or a whole control frame. */
struct ws_piece {
	enum ws_opcode opcode; /* of the message, never WS_CONTINUATION */
	uint8_t *data;
	size_t len;
	uint64_t left; /* bytes of the same frame still to come */
	bool first;    /* begins the message */
	bool final;    /* ends it */
};

void ws_splitter_init(struct ws_splitter *splitter, enum ws_role role);

/*
 * Takes the next piece from the `len` bytes at `data` and tells in `taken` how many bytes that
 * were. WS_MORE: the bytes that were not taken begin a header or a control frame: come again with
 * them and what follows. Text and the reason in a close frame are valid UTF-8 so far. Once broken
 * it stays so.
 */
enum ws_result ws_splitter_next(struct ws_splitter *splitter, uint8_t *data, size_t len,
	size_t *taken, struct ws_piece *piece);
