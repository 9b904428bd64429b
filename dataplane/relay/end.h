/*
 * end: one connection of a relay, whatever it is made of, with the queue of what waits to be
 * written to it. The loop's thread.
 *
 * A transport carries it: a WebSocket channel, a stream, a link to another node, one client's place
 * in a tunnel server's connection. What comes in goes to the face; what is pushed goes out when the
 * transport has room. The queue has no bound of its own: who pushes from another connection holds
 * that one while end_is_full.
 */
#pragma once

#include "dataplane/net/stream.h"
#include "lib/carry.h"
#include "dataplane/relay/pipe.h"
#include "lib/uuid.h"
#include "lib/ws.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define END_LINGER_MS 30000 /* for the peer to take what is left and close, when we have */

struct channel;
struct end;

struct end_face {
	void (*received)(struct end *end, const struct pipe_piece *piece);
	/* The peer will send nothing more, but may read on. NULL: the end closes. */
	void (*ended)(struct end *end);
	void (*drained)(struct end *end); /* it was full and is no more; or NULL */
	void (*timer)(struct end *end);	  /* or NULL */
	void (*closed)(struct end *end);  /* it is gone; always called, last of all */
};

/* What an end is made of. */
struct end_transport {
	const char *name;	       /* as the monitor shows it */
	void (*wake)(struct end *end); /* there is something to write */
	void (*hold)(struct end *end, bool held);
	void (*set_timer)(struct end *end, unsigned ms);
	void (*close)(struct end *end, enum ws_status code, const char *reason);
	/* Before close: the peer is to see that this is no proper end. NULL: it can't. */
	void (*reset)(struct end *end);
	/* As close, when all was written. */
	void (*finish)(struct end *end, enum ws_status code, const char *reason);
	/* Tells the peer that nothing more will come, when all was written. NULL: it can't. */
	void (*shut)(struct end *end);
	/* Asks the peer to show that it is there, and how long nothing came from it. NULL: TCP
	 * finds out, or the other node. */
	void (*ping)(struct end *end);
	uint64_t (*silence_ms)(const struct end *end);
};

enum end_state { END_OPEN, END_SHUT, END_FINISHING, END_CLOSED };

struct end {
	const struct end_face *face;
	void *owner; /* of the face */
	const struct end_transport *transport;
	void *connection; /* the transport's */
	char id[UUID_SIZE];
	char address[STREAM_ADDRESS_LEN];
	struct pipe out;
	struct carry carry;  /* of bytes on their way to a text-only end */
	bool text_only;	     /* bytes become text messages */
	bool is_full;	     /* face->drained is owed */
	bool closed_by_peer; /* it said that nothing more comes; else we close, or it was cut off */
	enum end_state state;
	int64_t opened_s;	     /* Unix time */
	uint64_t rx_bytes, tx_bytes; /* from the client, and written to it */
	uint64_t rx_rate, tx_rate;   /* of these in the last second: live.c measures */
	uint64_t rx_measured, tx_measured;
};

/* Makes the connection an end; its own face and owner are the end's from now on. */
void end_of_channel(struct end *end, struct channel *channel);
void end_of_stream(struct end *end, struct stream *stream);

/* Frees the queue; when face->closed runs. */
void end_finish_queue(struct end *end);

/* Queues a piece. What is pushed after shut, finish or close is forgotten. */
void end_push(struct end *end, const struct pipe_piece *piece);

/* Queues a whole text message; on a stream it is just bytes. */
void end_say(struct end *end, const char *text);

bool end_is_full(const struct end *end);

void end_hold(struct end *end, bool held);
void end_set_timer(struct end *end, unsigned ms); /* 0: not at all */

/* Only the first of several closes counts; the reason is cut at what a close frame holds. */
void end_close(struct end *end, enum ws_status code, const char *reason);
void end_finish(struct end *end, enum ws_status code, const char *reason);

/* Closes; the peer sees that it was no proper end, where the transport can show that. */
void end_reset(struct end *end);

/* Half-closes, where the transport can; else as end_finish. */
void end_shut(struct end *end, enum ws_status code, const char *reason);

/* ---- for transports ---- */

/* Common beginning: fills id and time. */
void end_init(struct end *end, const struct end_transport *transport, void *connection,
	const char *address);

/* Something came from the peer. */
void end_received(struct end *end, const struct pipe_piece *piece);
void end_ended(struct end *end);

/* After a fill: forgets what was written, and tells the face if there is room again. */
void end_filled(struct end *end);
