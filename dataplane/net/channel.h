/*
 * channel: a WebSocket connection (RFC 6455) on a stream, the server's end. The loop's thread.
 *
 * Pulled, not pushed: a channel has no queue. channel_wake makes the loop call face->fill once, at
 * the end of its turn or as soon as the socket has room; there the face calls channel_write until
 * nothing is left or that returns false. What was written in one fill leaves by one system call. So
 * each face has the queue that fits it.
 *
 * Messages come in pieces as they come from the socket. Pings, pongs and the closing handshake are
 * dealt with here.
 */
#pragma once

#include "dataplane/net/http.h"
#include "dataplane/net/stream.h"
#include "lib/uuid.h"
#include "lib/ws.h"
#include "lib/ws_splitter.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define CHANNEL_PARTS_MAX (STREAM_PARTS_MAX - 1)

struct channel;

/* A piece of a message. */
struct channel_piece {
	uint8_t *data; /* may be changed in place */
	size_t len;
	size_t left; /* bytes of the same WebSocket frame still to come */
	bool first;  /* begins a message */
	bool final;  /* ends it */
	bool text;
	struct block *block; /* where it lies, for who keeps a reference */
};

struct channel_face {
	void (*opened)(struct channel *channel); /* 101 was sent; or NULL */
	void (*received)(struct channel *channel, const struct channel_piece *piece);
	void (*fill)(struct channel *channel);	 /* write now; NULL: never woken */
	void (*timer)(struct channel *channel);	 /* or NULL */
	void (*closed)(struct channel *channel); /* it is gone; always called, last of all */
};

enum channel_state {
	CHANNEL_OPEN,
	CHANNEL_FINISHING, /* closes when fill has nothing more to write */
	CHANNEL_CLOSING,   /* a close frame is due */
	CHANNEL_GONE,	   /* a close frame was sent or received, or the connection is broken */
};

struct channel {
	const struct channel_face *face; /* set by its user before channel_open; may change */
	void *owner;			 /* of the face */
	char id[UUID_SIZE];
	const char *address; /* the peer's */
	enum channel_state state;

	/* channel.c's own */
	struct stream *stream;
	struct ws_splitter splitter;
	char *head;	  /* the 101, until it was written */
	bool quiet;	  /* nothing may be sent yet */
	bool held;	  /* by the face */
	bool wrote, full; /* what the face's fill did */
	bool ping_due, pong_due;
	bool answered; /* the peer's close frame came */
	bool left;     /* it came first, and said that all is well */
	uint8_t pong_len;
	uint8_t pong[WS_CONTROL_MAX]; /* of pings that come together only the last is answered */
	uint64_t due_ms;	      /* of face->timer; 0: not set */
	uint64_t quiet_until_ms;
	uint64_t heard_ms, pinged_ms; /* when something came, and a ping went */
	unsigned silence_ms;	      /* after which it is pinged; 0: never */
	enum ws_status code;
	char reason[96];
};

/* For old clients: as long as one may take to read the 101, and what it reads of a TLS record. */
#define CHANNEL_QUIET_MS   150
#define CHANNEL_RECORD_OLD 8192

struct channel_options {
	const char *protocol; /* subprotocol that was chosen; NULL: none */
	const char *headers;  /* more of the 101, "Name: value\r\n" each; NULL: none */
	/* Nothing is sent before the client's first bytes or so long after the 101: vpn-ws-client
	 * loses what it reads together with the 101. 0: no wait. */
	unsigned quiet_ms;
};

/* 0 if the request is an upgrade to WebSocket, else the status to refuse it with and one sentence
 * in `why`. */
unsigned channel_check(const struct http *http, const char **why);

/* Makes the stream, whose client has shown `key`, a channel. The caller sets face and owner, and
 * then calls channel_open, at once. */
struct channel *channel_create(
	struct stream *stream, const char *key, const struct channel_options *options);

/* The same with the connection of a request that passed channel_check; the request is gone. */
struct channel *channel_accept(struct http *http, const struct channel_options *options);

/* Answers 101, and calls face->opened. */
void channel_open(struct channel *channel);

/* Asks for face->fill. Also from fill itself: then it comes in the next turn. */
void channel_wake(struct channel *channel);

/*
 * Only from face->fill: writes one frame (WS_TEXT or WS_BINARY begins a message, WS_CONTINUATION
 * goes on with it, fin ends it) of all the parts, at most CHANNEL_PARTS_MAX. Those over
 * STREAM_COPY_MAX bytes must stay as they are until fill returns or calls channel_flush. False:
 * there is no room, nothing was taken, and fill will be called again when there is.
 */
bool channel_write(struct channel *channel, enum ws_opcode opcode, bool fin,
	const struct iovec *parts, size_t n);

/* Bytes that may still be written in this fill; 0: it is full. */
size_t channel_room(const struct channel *channel);

/* Only from face->fill: hands what was written to the kernel. Called after fill anyway. */
void channel_flush(struct channel *channel);

/* Stops giving pieces to the face and reading from the peer, or goes on. */
void channel_hold(struct channel *channel, bool held);

/* Calls face->timer once, `ms` from now; 0: not at all. */
void channel_set_timer(struct channel *channel, unsigned ms);

/* Closes at once: fill is not called again, nothing more is received. Only the first of several
 * closes counts. Never frees at once. */
void channel_close(struct channel *channel, enum ws_status code, const char *reason);

/* Closes when a fill writes nothing; nothing more is received. */
void channel_finish(struct channel *channel, enum ws_status code, const char *reason);

/* Sends a ping. */
void channel_ping(struct channel *channel);

/* Milliseconds since anything came from the peer. */
uint64_t channel_silence_ms(const struct channel *channel);

/* Pings the peer whenever nothing has come from it for so long; 0: never. */
void channel_keep_alive(struct channel *channel, unsigned silence_ms);

/* The round trip to the peer in microseconds, as TCP measures it; 0: not known. */
unsigned channel_rtt_us(const struct channel *channel);
