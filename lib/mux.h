/*
 * mux: many streams in one WebSocket, between a node and the device that holds a name
 * (docs/tunnel.md). Each binary message is one frame: its type, the number of its stream, and what
 * the type calls for. The node alone opens streams. Over memory only; an object belongs to one
 * thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUX_PROTOCOL	"lanyard.tunnel.v1"
#define MUX_HEADER_LEN	5
#define MUX_DATA_MAX	(64 * 1024) /* bytes of one frame */
#define MUX_ADDRESS_MAX 63
#define MUX_CONTROL_MAX (MUX_HEADER_LEN + 1 + MUX_ADDRESS_MAX) /* of a frame that is no DATA */

/* No stream's number. An END of it says that the node is about to stop: it opens a stream only for
 * who does not know better yet, and the device shall have another link before this one ends. */
#define MUX_LINK 0

enum mux_type {
	MUX_OPEN = 1, /* what it is for (enum mux_kind), and the visitor's address as text */
	MUX_DATA,     /* bytes */
	MUX_END,      /* no more of them will come */
	MUX_RESET,  /* the stream is over, in both directions; nothing is said about it after it */
	MUX_CREDIT, /* so many bytes more may be sent (32 bits) */
};

enum mux_kind {
	MUX_TLS = 1,
	MUX_HTTP, /* a request of ACME's http-01 */
};

struct mux_frame {
	enum mux_type type;
	uint32_t stream;
	const uint8_t *data; /* DATA */
	size_t len;
	enum mux_kind kind; /* OPEN */
	char address[MUX_ADDRESS_MAX + 1];
	uint32_t credit; /* CREDIT */
};

enum mux_result { MUX_MORE, MUX_FRAME, MUX_BROKEN };

/* Reads messages that come in pieces. All zero at start. */
struct mux_reader {
	uint8_t head[MUX_CONTROL_MAX];
	size_t len; /* of it */
};

/* Takes the next piece of a message, `final` its last. The bytes of DATA are given as they come, so
 * a message may be several frames. */
enum mux_result mux_reader_take(struct mux_reader *reader, const uint8_t *data, size_t len,
	bool final, struct mux_frame *frame);

/* Each writes a frame and returns its length; `out` has room for MUX_CONTROL_MAX bytes. mux_header
 * is all of an END and a RESET, and stands before the bytes of DATA. */
size_t mux_header(uint8_t *out, enum mux_type type, uint32_t stream);
size_t mux_open(uint8_t *out, uint32_t stream, enum mux_kind kind, const char *address);
size_t mux_credit(uint8_t *out, uint32_t stream, uint32_t credit);

/*
 * Credit. Either end of a stream may send MUX_WINDOW bytes, and more when the other one says so: it
 * says so as it gets rid of what came. A stream that gets rid of much may have more on its way, as
 * long as all streams of the link have not too much together.
 */
#define MUX_WINDOW     (64 * 1024)
#define MUX_WINDOW_MAX (1024 * 1024)
#define MUX_BUDGET     (32 * 1024 * 1024) /* of all windows beyond the first */

/* What the other end may send on a stream; mux_grant_init first. */
struct mux_grant {
	uint32_t window; /* at most so much is on its way, or waits here */
	uint32_t left;	 /* it may still send */
	uint32_t owed;	 /* got rid of, and not told yet */
};

void mux_grant_init(struct mux_grant *grant);

/* Bytes came. False: more than it may send. */
bool mux_grant_take(struct mux_grant *grant, size_t len);

/* They are got rid of. Returns the credit to be told now, 0 if it can wait; the window may grow by
 * what is left of `budget`. */
uint32_t mux_grant_return(struct mux_grant *grant, size_t len, uint32_t *budget);

/* The stream is over: gives back what it had of the budget. */
void mux_grant_finish(struct mux_grant *grant, uint32_t *budget);
