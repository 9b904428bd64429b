/*
 * stream: one TCP or unix connection on the loop, with or without TLS. The loop's thread.
 *
 * Bytes come in from memory that all streams share (block.h), and go out when the stream asks for
 * them: stream_wake makes the loop call face->fill once, at the end of its turn or as soon as the
 * socket has room; what fill writes leaves by one system call. A stream has no queue of its own
 * beyond what the kernel did not take of one fill.
 */
#pragma once

#include "lib/frames/block.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>
#include <uv.h>

#define STREAM_ADDRESS_LEN 64
#define STREAM_OPENING_MS  10000 /* TLS and the first request, from the accept */
#define STREAM_PARTS_MAX   64	 /* of one write */
#define STREAM_COPY_MAX	   4096
#define STREAM_FILL_MAX	   BLOCK_SIZE /* bytes that one fill may write, the last write may pass it */

struct congestion;
struct proxy_ends;
struct stream;
struct streams;
struct tls;
struct tls_server;

/* What came: the block is for those who keep a reference. The bytes may be changed in place. */
struct stream_bytes {
	uint8_t *data;
	size_t len;
	struct block *block;
};

/* What the stream is used for; may be exchanged while it lives. */
struct stream_face {
	/* TLS's handshake is over. Never called without stream_secure; NULL if nobody asks. */
	void (*opened)(struct stream *stream);
	/* Returns how many of the bytes it took. The others come again, in one piece with what
	 * follows them: when more has come, when the stream is held no more, or to the next face.
	 * Who takes nothing of STREAM_REST_MAX bytes has to close. */
	size_t (*received)(struct stream *stream, const struct stream_bytes *bytes);
	/* The peer will send nothing more, but may still read. NULL: the stream closes then. */
	void (*ended)(struct stream *stream);
	/* Write now: see stream_write. NULL: never woken. */
	void (*fill)(struct stream *stream);
	/* NULL: the stream closes when its time is over. */
	void (*timer)(struct stream *stream);
	/* The process ends: say goodbye. NULL: the stream closes. */
	void (*stopping)(struct stream *stream);
	/* It is gone: always called, last of all, from the loop and never out of another call. */
	void (*closed)(struct stream *stream);
};

#define STREAM_REST_MAX (128 * 1024)

/* What is known about the way to the peer; of a unix socket, bytes only. */
struct stream_path {
	uint64_t received, sent; /* bytes, with TLS those of its records */
	unsigned rtt_us;
	unsigned n_retransmitted; /* segments, since the beginning */
	unsigned unsent;	  /* bytes that the kernel has and has not sent yet */
};

struct streams *streams_create(uv_loop_t *loop);

/* What controls the sending of its TCP streams from now on; kept. Without it the system does. */
void streams_set_congestion(struct streams *streams, struct congestion *congestion);

/* Tells every stream that the process ends; closes those that are left `ms` later. When all are
 * gone it closes its handles and calls `ended`. */
void streams_close(struct streams *streams, unsigned ms, void (*ended)(void *arg), void *arg);

/* Frees it, after the loop has ended, from any thread. NULL is fine. */
void streams_destroy(struct streams *streams);

/* Takes a connected, non-blocking socket and begins to read. Closes by itself STREAM_OPENING_MS
 * later unless a timer was set or stopped by then. */
struct stream *stream_create(
	struct streams *streams, int fd, const struct stream_face *face, void *owner);

/* Begins TLS as its server; what was not taken of the bytes before belongs to it. The server's
 * identities are looked up now and kept while the stream lives. */
void stream_secure(struct stream *stream, struct tls_server *server);

/* Hands the stream to another use: what was not taken comes to it next. */
void stream_set_face(struct stream *stream, const struct stream_face *face, void *owner);
void *stream_owner(const struct stream *stream);

/* The peer's address as text; "unix" for a unix socket. stream_set_address: a proxy told it. */
const char *stream_address(const struct stream *stream);
void stream_set_address(struct stream *stream, const char *address);

/* The two ends of the client's connection: those of the socket, or what a proxy told. */
void stream_ends(const struct stream *stream, struct proxy_ends *ends);
void stream_set_ends(struct stream *stream, const struct proxy_ends *ends);

/* Its TLS, for what lib/tls.h can tell about the peer; NULL without. */
const struct tls *stream_tls(const struct stream *stream);

/* The loop's clock. */
uint64_t stream_now_ms(const struct stream *stream);

/* Asks for face->fill. Also from fill itself: then it comes in the next turn. */
void stream_wake(struct stream *stream);

/*
 * Only from face->fill: writes all of the parts. Those over STREAM_COPY_MAX bytes must stay as they
 * are until fill returns or calls stream_flush. False: there is no room, nothing was taken, and
 * fill will be called again when there is.
 */
bool stream_write(struct stream *stream, const struct iovec *parts, size_t n);

/* Bytes that may still be written in this fill; 0: it is full. */
size_t stream_room(const struct stream *stream);

/* Only from face->fill: hands what was written to the kernel. Called after fill anyway. */
void stream_flush(struct stream *stream);

/* Stops giving bytes to the face and reading more, or goes on. */
void stream_hold(struct stream *stream, bool held);

/* Calls face->timer once, `ms` from now, or from the end of TLS's handshake while that goes on,
 * which has its own limit; 0: not at all. */
void stream_set_timer(struct stream *stream, unsigned ms);

/* TLS records carry at most so many bytes of plain text (512 to 16384, the default). */
void stream_set_record_max(struct stream *stream, size_t len);

/* Acknowledges at once what comes: for a peer whose next small write waits for that (Nagle). */
void stream_set_quick_ack(struct stream *stream);

/* Ends the sending side (FIN; close_notify before it) when what was written is with the kernel;
 * the stream closes when the peer has ended its side too. fill is not called any more. */
void stream_finish(struct stream *stream);

/* Closes at once: what the kernel did not take yet is lost. Only face->closed follows, later. */
void stream_close(struct stream *stream);

/* As stream_close, and the peer sees a reset: that it was no proper end. */
void stream_reset(struct stream *stream);

/* Why it closed, in words; NULL: somebody wanted it. */
const char *stream_why(const struct stream *stream);

void stream_path(const struct stream *stream, struct stream_path *path);
