/*
 * channel: WebSocket connections. channel.c is the only code that sees libwebsockets, and it
 * follows docs/dataplane.md in how that library wants to be used. Everything here is for the loop's
 * thread.
 *
 * A connection has a face: the functions of what it is used for (a session, a relay's end, or one
 * that waits to become either), which the handshake chooses and which may be exchanged later.
 */
#pragma once

#include "dataplane/net/packet.h"
#include "dataplane/net/queue.h"
#include "lib/err.h"
#include "lib/token.h"
#include "lib/uuid.h"
#include "lib/ws.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#define CHANNEL_ADDRESS_LEN   64
#define CHANNEL_NONCE_MAX     128
#define CHANNEL_NETWORK_MAX   64
#define CHANNEL_AUTHORIZATION (TOKEN_MAX + 64)

struct channel;
struct channel_server;
struct lws;

/* A piece of a message as it comes from the socket. */
struct channel_piece {
	const uint8_t *data;
	size_t len;
	size_t left; /* bytes of the same WebSocket frame still to come */
	bool first;  /* begins a message */
	bool final;  /* ends it */
	bool text;
};

struct channel_face {
	void (*opened)(struct channel *channel); /* the handshake is over */
	void (*received)(struct channel *channel, const struct channel_piece *piece);
	void (*drained)(struct channel *channel); /* there is room again; or NULL */
	void (*timer)(struct channel *channel);	  /* or NULL */
	void (*closed)(struct channel *channel);  /* it is gone; always called, last of all */
};

enum channel_state {
	CHANNEL_OPEN,
	CHANNEL_FINISHING, /* closes when what waits has been written */
	CHANNEL_CLOSING,   /* closes when the socket is writable */
	CHANNEL_GONE,	   /* a close frame was sent or received, or the socket is broken */
};

struct channel {
	const struct channel_face *face; /* set by the handshake */
	void *owner;			 /* of the face */
	char id[UUID_SIZE];
	char address[CHANNEL_ADDRESS_LEN]; /* the peer's */

	/* channel.c's own */
	struct lws *wsi;
	struct channel_server *server;
	struct channel *next, **slot; /* channel_server.channels */
	struct queue queue;
	size_t unchecked; /* bytes written since the socket was last asked if it is full */
	bool blocked;	  /* waits until the socket is writable */
	bool full;	  /* the queue was over its mark; face->drained is owed */
	enum channel_state state;
	enum ws_status code;
	char reason[96];
};

/* What a client asks for. Texts that were too long are not handed on, but refused. */
struct channel_request {
	char path[256];
	char authorization[CHANNEL_AUTHORIZATION]; /* "" if there is none */
	char nonce[CHANNEL_NONCE_MAX + 1];	   /* ?nonce= */
	char network[CHANNEL_NETWORK_MAX + 1];	   /* ?network= */
};

struct channel_server_options {
	uv_loop_t *loop;
	const char *tls_cert, *tls_key; /* PEM files; cert "": no TLS */
	/* Decides: sets channel->face and channel->owner and returns 0, or returns the HTTP status
	 * (of 4xx and 5xx) to refuse with and puts one sentence into `why`. */
	int (*handshake)(void *context, struct channel *channel,
		const struct channel_request *request, const char **why);
	void *context;
};

/* Errors are logged; also then the server has to be closed and destroyed. */
err_t channel_server_open(
	struct channel_server **out, const struct channel_server_options *options) MUST_CHECK;

/* Takes an accepted socket. */
void channel_server_accepted(struct channel_server *server, int fd);

/* Closes every connection with 1001, and when all are gone, or `ms` later, ends the server and
 * calls `ended`. */
void channel_server_close(
	struct channel_server *server, unsigned ms, void (*ended)(void *arg), void *arg);

/* Frees it, after the loop has ended, from any thread. NULL is fine. */
void channel_server_destroy(struct channel_server *server);

/* Writes the packet now or queues a reference to it. False: it was dropped, since the queue is full
 * or the connection is closing. */
bool channel_send(struct channel *channel, struct packet *packet);

/* True when the queue is so long that a sender who can wait should wait for face->drained. */
bool channel_is_full(struct channel *channel);

/* Stops reading from the peer, or goes on. */
void channel_hold(struct channel *channel, bool held);

/* Calls face->timer once, `ms` from now; 0: not at all. */
void channel_set_timer(struct channel *channel, unsigned ms);

/* Closes at once: what waits in the queue is forgotten, nothing more is received. Only the first of
 * several closes counts. */
void channel_close(struct channel *channel, enum ws_status code, const char *reason);

/* Closes when what waits has been written; nothing more is received. */
void channel_finish(struct channel *channel, enum ws_status code, const char *reason);
