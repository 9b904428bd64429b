/*
 * stream_internal: what the files of stream share: streams.c (all of them, and the loop's turns),
 * stream.c (one, and what it receives) and stream_send.c.
 */
#pragma once

#include "dataplane/net/stream.h"
#include "lib/congestion.h"
#include "lib/tls.h"

/* Bytes that wait in memory of the stream's own. */
struct bytes {
	uint8_t *data;
	size_t at; /* those before were used */
	size_t len;
};

struct stream {
	const struct stream_face *face;
	void *owner;
	struct streams *streams;
	struct stream *next, **slot; /* streams.all */
	struct stream *next_awake;   /* streams.awake */
	int fd;
	unsigned n_handles; /* open: poll and timer */
	uv_poll_t poll;
	uv_timer_t timer;
	struct tls *tls; /* NULL: without */
	size_t record_max;
	bool quick_ack;
	char address[STREAM_ADDRESS_LEN];
	struct proxy_ends *told; /* by a proxy; NULL: nothing */
	char why[128];

	struct bytes rest;	     /* received, not taken by the face */
	struct bytes records;	     /* received, not read by TLS */
	struct bytes out;	     /* what the kernel did not take */
	unsigned timer_ms;	     /* as it was last set */
	size_t fill_max;	     /* of the next fill */
	size_t filled;		     /* in this one */
	uint64_t look_ms;	     /* when to look at its congestion next; UINT64_MAX: never */
	struct congestion_mark mark; /* of the last look */
	uint64_t n_received, n_sent; /* bytes */

	int events;	/* watched for */
	bool awake;	/* in streams.awake */
	bool fill_due;	/* the face has to be called */
	bool rest_due;	/* the rest has to be given again */
	bool full;	/* a write of this fill was refused */
	bool opening;	/* TLS's handshake goes on */
	bool delayed;	/* the timer begins when it is over */
	bool held;	/* gives nothing to the face */
	bool end_due;	/* the peer's end has to be told when it is held no more */
	bool ended;	/* the peer sends no more */
	bool finishing; /* ends the sending side when `out` is empty */
	bool said_goodbye;
	bool finished; /* has ended it, or can't in good manner */
	bool closing;  /* only face->closed is to come */
};

#define GATHER_PARTS	512
#define GATHER_COPY_LEN (STREAM_FILL_MAX + STREAM_PARTS_MAX * STREAM_COPY_MAX)

/* What one fill has written and the kernel has not been given yet. */
struct gather {
	struct iovec parts[GATHER_PARTS]; /* without TLS */
	size_t n_parts;
	uint8_t *copy; /* bytes of small parts; with TLS those of the next record */
	size_t copied;
};

struct streams {
	uv_loop_t *loop;
	uv_prepare_t before_poll;
	uv_check_t after_poll;
	uv_idle_t again; /* while somebody is awake: do not wait for events */
	uv_timer_t drain;
	unsigned n_handles;
	int64_t drain_until_ms;
	void (*ended)(void *arg);
	void *ended_arg;

	struct congestion *congestion; /* NULL: the system's */
	struct stream *all;
	struct stream *awake, **awake_end;
	struct stream *filling; /* whose face->fill runs */
	struct block *block;	/* received into */
	uint8_t *records;	/* of STREAM_RECORDS_LEN bytes: TLS records, as they came */
	struct tls_wire wire;
	struct gather gather;
};

#define STREAM_RECORDS_LEN BLOCK_SIZE

/* ---- stream.c ---- */

void bytes_free(struct bytes *bytes);

/* Watches for what the stream waits for now. */
void stream_watch(struct stream *stream);

/* Closes it because of a failure. */
void stream_break(struct stream *stream, const char *why);

/* What is to be done at the end of the turn. */
void stream_serve(struct stream *stream);

/* ---- stream_send.c ---- */

/* Calls face->fill and sends what it wrote. */
void stream_fill(struct stream *stream);

/* Begins to look at its congestion. */
void stream_begin_congestion(struct stream *stream);

/* The socket is writable: sends what waits. */
void stream_send_out(struct stream *stream);

/* Sends what TLS has put on the wire by itself. */
void stream_send_wire(struct stream *stream);

/* Ends the sending side, if nothing waits before that. */
void stream_end_sending(struct stream *stream);

/* Tells the peer's TLS that the stream closes, if that can be told now. */
void stream_say_goodbye(struct stream *stream);

/* ---- streams.c ---- */

void streams_add(struct streams *streams, struct stream *stream);
void streams_remove(struct stream *stream);

/* stream_serve at the end of the turn. */
void streams_awake(struct stream *stream);

/* Space to receive into, in streams->block, after `before` bytes that are put there: `room` is for
 * STREAM_ROOM_MIN bytes more at least. */
uint8_t *streams_space(struct streams *streams, const struct bytes *before, size_t *room);

#define STREAM_ROOM_MIN (64 * 1024)
