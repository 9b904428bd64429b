/*
 * stream_send: what a fill writes is gathered in memory that all streams share, and given to the
 * kernel at its end; only what the kernel does not take becomes the stream's own.
 */
#include "dataplane/net/stream_internal.h"

#include "lib/congestion.h"
#include "lib/mem.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define FILL_MIN (32 * 1024) /* of one fill while the socket is the bottleneck */

/* ---- the socket ---- */

static bool is_blocked(const struct stream *stream)
{
	return stream->out.at < stream->out.len;
}

static void keep(struct bytes *out, const void *data, size_t len)
{
	if (len == 0)
		return;
	if (out->at == out->len)
		bytes_free(out);
	out->data = xrealloc(out->data, out->len + len);
	memcpy(out->data + out->len, data, len);
	out->len += len;
}

/* Sends the parts as far as the kernel takes them; the others wait in `out`, which is empty. */
static void send_parts(struct stream *stream, struct iovec *parts, size_t n)
{
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = n };
	ssize_t sent = sendmsg(stream->fd, &message, MSG_NOSIGNAL);
	size_t left = sent > 0 ? (size_t)sent : 0;

	if (sent < 0 && errno != EAGAIN && errno != EINTR) {
		stream_break(stream, strerror(errno));
		return;
	}
	stream->n_sent += left;
	for (size_t i = 0; i < n; i++) {
		size_t taken = left < parts[i].iov_len ? left : parts[i].iov_len;

		left -= taken;
		keep(&stream->out, (uint8_t *)parts[i].iov_base + taken, parts[i].iov_len - taken);
	}
	if (is_blocked(stream))
		stream_watch(stream);
}

void stream_send_out(struct stream *stream)
{
	struct bytes *out = &stream->out;
	ssize_t sent = send(stream->fd, out->data + out->at, out->len - out->at, MSG_NOSIGNAL);

	if (sent < 0 && errno != EAGAIN && errno != EINTR) {
		stream_break(stream, strerror(errno));
		return;
	}
	if (sent > 0) {
		stream->n_sent += (uint64_t)sent;
		out->at += (size_t)sent;
	}
	if (is_blocked(stream))
		return;
	bytes_free(out);
	streams_awake(stream);
}

void stream_send_wire(struct stream *stream)
{
	struct tls_wire *wire = &stream->streams->wire;
	struct iovec part = { wire->out, wire->out_len };

	wire->out_len = 0;
	if (part.iov_len == 0)
		return;
	if (stream->closing)
		stream->finished = true; /* a goodbye after a gap would not be understood */
	else if (is_blocked(stream))
		keep(&stream->out, part.iov_base, part.iov_len);
	else
		send_parts(stream, &part, 1);
}

/* ---- what a fill writes ---- */

static void encrypt(struct stream *stream, const uint8_t *data, size_t len)
{
	size_t n;

	if (tls_write(stream->tls, data, len, &n) != TLS_OK)
		stream_break(stream, tls_why(stream->tls));
}

/* Fills records to their end, so that small parts share one; those of long parts are made from
 * where they lie. */
static void gather_records(struct stream *stream, const uint8_t *data, size_t len)
{
	struct gather *gather = &stream->streams->gather;
	size_t record = stream->record_max;

	while (len > 0) {
		size_t n = len - len % record;

		if (gather->copied == 0 && n > 0) {
			encrypt(stream, data, n);
		} else {
			n = record - gather->copied < len ? record - gather->copied : len;
			memcpy(gather->copy + gather->copied, data, n);
			gather->copied += n;
		}
		if (gather->copied == record) {
			encrypt(stream, gather->copy, record);
			gather->copied = 0;
		}
		data += n;
		len -= n;
	}
}

static void gather_part(struct gather *gather, const struct iovec *part)
{
	struct iovec *last = gather->n_parts > 0 ? &gather->parts[gather->n_parts - 1] : NULL;
	uint8_t *copy = gather->copy + gather->copied;

	if (part->iov_len > STREAM_COPY_MAX) {
		gather->parts[gather->n_parts++] = *part;
		return;
	}
	memcpy(copy, part->iov_base, part->iov_len);
	if (gather->copied > 0 && (uint8_t *)last->iov_base + last->iov_len == copy)
		last->iov_len += part->iov_len;
	else
		gather->parts[gather->n_parts++] = (struct iovec){ copy, part->iov_len };
	gather->copied += part->iov_len;
}

size_t stream_room(const struct stream *stream)
{
	const struct gather *gather = &stream->streams->gather;

	if (stream->closing || stream->full || is_blocked(stream) ||
		stream->filled >= stream->fill_max ||
		GATHER_PARTS - gather->n_parts < STREAM_PARTS_MAX)
		return 0;
	return stream->fill_max - stream->filled;
}

bool stream_write(struct stream *stream, const struct iovec *parts, size_t n)
{
	if (stream->streams->filling != stream || n > STREAM_PARTS_MAX)
		BUG("a write of %zu parts outside of a fill", n);
	if (stream_room(stream) == 0) {
		stream->full = true;
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		stream->filled += parts[i].iov_len;
		if (parts[i].iov_len == 0)
			continue;
		if (stream->tls)
			gather_records(stream, parts[i].iov_base, parts[i].iov_len);
		else
			gather_part(&stream->streams->gather, &parts[i]);
	}
	return true;
}

void stream_flush(struct stream *stream)
{
	struct gather *gather = &stream->streams->gather;

	if (stream->tls && gather->copied > 0 && !stream->closing)
		encrypt(stream, gather->copy, gather->copied);
	if (stream->tls)
		stream_send_wire(stream);
	else if (gather->n_parts > 0 && !stream->closing)
		send_parts(stream, gather->parts, gather->n_parts);
	gather->n_parts = gather->copied = 0;
}

/* A fill is short while the kernel does not take it whole, so that what waits does so where its
 * order is decided, in the face's queue. */
static void adapt(struct stream *stream)
{
	if (is_blocked(stream))
		stream->fill_max = FILL_MIN;
	else if (stream->filled >= stream->fill_max && stream->fill_max < STREAM_FILL_MAX)
		stream->fill_max *= 2;
}

void stream_begin_congestion(struct stream *stream)
{
	struct congestion *congestion = stream->streams->congestion;

	stream->look_ms = congestion ? 0 : UINT64_MAX;
	if (congestion)
		congestion_begin(congestion, stream->fd);
}

static void look_at_congestion(struct stream *stream)
{
	uint64_t now = stream_now_ms(stream);

	if (now < stream->look_ms)
		return;
	stream->look_ms = congestion_look(stream->streams->congestion, stream->fd, &stream->mark)
				  ? UINT64_MAX
				  : now + CONGESTION_LOOK_MS;
}

void stream_fill(struct stream *stream)
{
	struct streams *streams = stream->streams;

	stream->fill_due = stream->full = false;
	stream->filled = 0;
	streams->filling = stream;
	stream->face->fill(stream);
	stream_flush(stream);
	streams->filling = NULL;
	adapt(stream);
	look_at_congestion(stream);
	if (!stream->full || stream->closing)
		return;
	stream->fill_due = true;
	if (!is_blocked(stream))
		streams_awake(stream);
}

void stream_end_sending(struct stream *stream)
{
	if (stream->finished || is_blocked(stream))
		return;
	if (stream->tls && !stream->said_goodbye) {
		stream->said_goodbye = true;
		tls_end(stream->tls);
		stream_send_wire(stream);
		if (is_blocked(stream))
			return;
	}
	stream->finished = true;
	shutdown(stream->fd, SHUT_WR);
	if (stream->ended)
		stream_close(stream);
}

void stream_say_goodbye(struct stream *stream)
{
	struct tls_wire *wire = &stream->streams->wire;

	if (!stream->tls || stream->opening || stream->finished || stream->said_goodbye ||
		is_blocked(stream))
		return;
	tls_end(stream->tls);
	if (send(stream->fd, wire->out, wire->out_len, MSG_NOSIGNAL) < 0)
		errno = 0; /* a courtesy only */
	wire->out_len = 0;
}
