/*
 * stream: one connection: its life, and what it receives.
 */
#include "dataplane/net/stream_internal.h"

#include "dataplane/net/socket.h"
#include "lib/mem.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void bytes_free(struct bytes *bytes)
{
	free(bytes->data);
	*bytes = (struct bytes){ 0 };
}

/* Puts a copy into the place of what was there. */
static void bytes_set(struct bytes *bytes, const uint8_t *data, size_t len)
{
	uint8_t *copy = NULL;

	if (len > 0) {
		copy = xmalloc(len);
		memcpy(copy, data, len);
	}
	free(bytes->data);
	*bytes = (struct bytes){ .data = copy, .len = len };
}

/* ---- giving bytes to the face ---- */

static bool gives(const struct stream *stream)
{
	return !stream->held && !stream->closing;
}

/* What the face leaves becomes the stream's rest. */
static void give(struct stream *stream, uint8_t *data, size_t len)
{
	struct stream_bytes bytes = { data, len, stream->streams->block };
	const struct stream_face *face = NULL;
	size_t taken = 1;

	while (bytes.len > 0 && gives(stream) && (taken > 0 || face != stream->face) &&
		!stream->opening) {
		face = stream->face;
		taken = face->received(stream, &bytes);
		bytes.data += taken;
		bytes.len -= taken;
	}
	if (stream->closing)
		return;
	if (stream->opening) { /* what follows belongs to TLS, which the face has begun */
		bytes_set(&stream->records, bytes.data, bytes.len);
		stream->rest_due = bytes.len > 0;
		streams_awake(stream);
		return;
	}
	bytes_set(&stream->rest, bytes.data, bytes.len);
	if (bytes.len >= STREAM_REST_MAX && !stream->held)
		stream_break(stream, "more came than was asked for");
}

static void give_end(struct stream *stream)
{
	if (stream->closing || stream->ended)
		return;
	stream->end_due = stream->held;
	if (stream->held)
		return;
	stream->ended = true;
	if (stream->finished || !stream->face->ended)
		stream_close(stream);
	else
		stream->face->ended(stream);
	if (!stream->closing)
		stream_watch(stream);
}

/* ---- without TLS ---- */

/* The kernel forgets it when bytes go the other way, so that it has to be told each time. */
static void acknowledge(struct stream *stream)
{
	const int on = 1;

	if (stream->quick_ack)
		(void)setsockopt(stream->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
}

static void receive_plain(struct stream *stream)
{
	struct streams *streams = stream->streams;
	size_t room, waiting = stream->rest.len;
	uint8_t *space = streams_space(streams, &stream->rest, &room);
	ssize_t n = recv(stream->fd, space + waiting, room, 0);

	if (n > 0) {
		acknowledge(stream);
		stream->n_received += (uint64_t)n;
		bytes_free(&stream->rest);
		streams->block->used += (uint32_t)(waiting + (size_t)n);
		give(stream, space, waiting + (size_t)n);
	} else if (n == 0) {
		give_end(stream);
	} else if (errno != EAGAIN && errno != EINTR) {
		stream_break(stream, strerror(errno));
	}
}

/* ---- with TLS ---- */

static void on_failed(struct stream *stream)
{
	stream_send_wire(stream); /* the alert that tells the peer */
	stream_break(stream, tls_why(stream->tls));
}

/* False: it needs more, or it has failed. */
static bool shake_hands(struct stream *stream)
{
	enum tls_result result = tls_handshake(stream->tls);

	if (result == TLS_FAILED || result == TLS_CLOSED)
		on_failed(stream);
	if (result != TLS_OK)
		return false;
	stream->opening = false;
	if (stream->delayed)
		stream_set_timer(stream, stream->timer_ms);
	streams_awake(stream); /* it may be asked for a fill already */
	if (stream->face->opened)
		stream->face->opened(stream);
	return gives(stream);
}

/* Reads records as long as there are whole ones and room, and gives them in one piece. False: there
 * are no more, or nobody wants them. */
static bool read_records(struct stream *stream)
{
	struct streams *streams = stream->streams;
	size_t room, n, waiting = stream->rest.len, len = waiting;
	uint8_t *space = streams_space(streams, &stream->rest, &room);
	enum tls_result result = TLS_OK;

	while (room >= TLS_RECORD_MAX &&
		(result = tls_read(stream->tls, space + len, room, &n)) == TLS_OK) {
		len += n;
		room -= n;
	}
	if (len > waiting) {
		bytes_free(&stream->rest);
		streams->block->used += (uint32_t)len;
		give(stream, space, len);
	}
	if (result == TLS_CLOSED)
		give_end(stream);
	else if (result == TLS_FAILED && !stream->closing)
		on_failed(stream);
	return result == TLS_OK && gives(stream);
}

/* Takes in what is on the wire. */
static void take_records(struct stream *stream, const uint8_t *data, size_t len)
{
	struct tls_wire *wire = &stream->streams->wire;

	wire->in = data;
	wire->in_len = len;
	if (!stream->opening || shake_hands(stream))
		while (read_records(stream))
			;
	bytes_set(&stream->records, wire->in, wire->in_len);
	wire->in_len = 0;
	stream_send_wire(stream);
}

static void receive_tls(struct stream *stream)
{
	struct streams *streams = stream->streams;
	ssize_t n = recv(stream->fd, streams->records, STREAM_RECORDS_LEN, 0);

	stream->n_received += n > 0 ? (uint64_t)n : 0;
	if (n > 0) {
		acknowledge(stream);
		take_records(stream, streams->records, (size_t)n);
	} else if (n == 0 && stream->opening) {
		stream_break(stream, "the peer hung up during TLS's handshake");
	} else if (n == 0) {
		give_end(stream);
	} else if (errno != EAGAIN && errno != EINTR) {
		stream_break(stream, strerror(errno));
	}
}

/* ---- what was left ---- */

static void give_rest(struct stream *stream)
{
	size_t room, len = stream->rest.len;
	struct bytes records = stream->records;

	if (len > 0 && !stream->opening) {
		uint8_t *space = streams_space(stream->streams, &stream->rest, &room);

		bytes_free(&stream->rest);
		stream->streams->block->used += (uint32_t)len;
		give(stream, space, len);
	}
	if (records.len > 0 && gives(stream)) {
		stream->records = (struct bytes){ 0 };
		take_records(stream, records.data, records.len);
		bytes_free(&records);
	}
	if (stream->end_due && gives(stream))
		give_end(stream);
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct stream *stream = handle->data;

	if (--stream->n_handles > 0)
		return;
	streams_remove(stream);
	if (stream->face->closed)
		stream->face->closed(stream);
	tls_destroy(stream->tls);
	close(stream->fd);
	bytes_free(&stream->rest);
	bytes_free(&stream->records);
	bytes_free(&stream->out);
	free(stream->told);
	free(stream);
}

void stream_serve(struct stream *stream)
{
	if (stream->closing) {
		stream_say_goodbye(stream);
		uv_close((uv_handle_t *)&stream->poll, on_handle_closed);
		uv_close((uv_handle_t *)&stream->timer, on_handle_closed);
		return;
	}
	if (stream->rest_due && gives(stream)) {
		stream->rest_due = false;
		give_rest(stream);
	}
	if (stream->closing || stream->opening)
		return;
	if (stream->finishing)
		stream_end_sending(stream);
	else if (stream->fill_due && stream->out.len == 0)
		stream_fill(stream);
	stream_watch(stream);
}

/* ---- events ---- */

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct stream *stream = poll->data;

	if (status < 0) {
		stream_break(stream, socket_failure(stream->fd));
		return;
	}
	if ((events & UV_WRITABLE) && stream->out.len > 0)
		stream_send_out(stream);
	if (!(events & UV_READABLE) || !gives(stream) || stream->ended || stream->rest_due)
		return;
	if (stream->tls)
		receive_tls(stream);
	else
		receive_plain(stream);
}

void stream_watch(struct stream *stream)
{
	bool reads = !stream->held && !stream->end_due && !stream->ended && !stream->rest_due;
	int events = (reads ? UV_READABLE : 0) | (stream->out.len > 0 ? UV_WRITABLE : 0);

	if (events == stream->events || stream->closing)
		return;
	stream->events = events;
	if (events == 0)
		uv_poll_stop(&stream->poll);
	else
		uv_poll_start(&stream->poll, events, on_ready);
}

static void on_time(uv_timer_t *timer)
{
	struct stream *stream = timer->data;

	if (stream->opening)
		stream_break(stream, "TLS's handshake took too long");
	else if (stream->face->timer)
		stream->face->timer(stream);
	else
		stream_break(stream, "its time was over");
}

/* ---- its life ---- */

struct stream *stream_create(
	struct streams *streams, int fd, const struct stream_face *face, void *owner)
{
	struct stream *stream = xcalloc(1, sizeof(*stream));
	struct proxy_ends ends;

	stream->streams = streams;
	stream->fd = fd;
	stream->face = face;
	stream->owner = owner;
	stream->fill_max = STREAM_FILL_MAX;
	stream->record_max = TLS_RECORD_MAX;
	socket_tune(fd);
	socket_ends(fd, &ends);
	socket_text(&ends.client, stream->address);
	if (uv_poll_init(streams->loop, &stream->poll, fd) != 0)
		BUG("descriptor %d can't be polled", fd);
	uv_timer_init(streams->loop, &stream->timer);
	stream->n_handles = 2;
	stream->poll.data = stream->timer.data = stream;
	streams_add(streams, stream);
	stream_begin_congestion(stream);
	stream_set_timer(stream, STREAM_OPENING_MS);
	stream_watch(stream);
	return stream;
}

void stream_secure(struct stream *stream, struct tls_server *server)
{
	if (stream->tls)
		BUG("TLS within TLS");
	stream->tls = tls_accept(server, &stream->streams->wire);
	stream->opening = true;
	stream->records = stream->rest;
	stream->rest = (struct bytes){ 0 };
	stream->rest_due = stream->records.len > 0;
	if (stream->rest_due)
		streams_awake(stream);
}

void stream_close(struct stream *stream)
{
	if (stream->closing)
		return;
	stream->closing = true;
	uv_poll_stop(&stream->poll);
	uv_timer_stop(&stream->timer);
	streams_awake(stream); /* whose end of turn begins the end */
}

void stream_break(struct stream *stream, const char *why)
{
	if (stream->closing)
		return;
	snprintf(stream->why, sizeof(stream->why), "%s", why);
	stream->finished = true;
	stream_close(stream);
}

void stream_reset(struct stream *stream)
{
	const struct linger reset = { .l_onoff = 1 };

	if (stream->closing)
		return;
	setsockopt(stream->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	stream->finished = true;
	stream_close(stream);
}

void stream_finish(struct stream *stream)
{
	if (stream->closing || stream->finishing)
		return;
	stream->finishing = true;
	streams_awake(stream);
}

/* ---- what its user does with it ---- */

void stream_wake(struct stream *stream)
{
	if (stream->closing || stream->finishing)
		return;
	stream->fill_due = true;
	if (stream->out.len == 0)
		streams_awake(stream);
}

void stream_hold(struct stream *stream, bool held)
{
	if (stream->closing || stream->held == held)
		return;
	stream->held = held;
	if (!held && (stream->rest.len > 0 || stream->records.len > 0 || stream->end_due)) {
		stream->rest_due = true;
		streams_awake(stream);
	}
	stream_watch(stream);
}

void stream_set_timer(struct stream *stream, unsigned ms)
{
	if (stream->closing)
		return;
	stream->delayed = stream->opening;
	stream->timer_ms = ms;
	if (stream->opening)
		return;
	if (ms > 0)
		uv_timer_start(&stream->timer, on_time, ms, 0);
	else
		uv_timer_stop(&stream->timer);
}

void stream_set_face(struct stream *stream, const struct stream_face *face, void *owner)
{
	stream->face = face;
	stream->owner = owner;
	if (stream->rest.len == 0 || stream->closing)
		return;
	stream->rest_due = true;
	streams_awake(stream);
}

uint64_t stream_now_ms(const struct stream *stream)
{
	return uv_now(stream->streams->loop);
}

void *stream_owner(const struct stream *stream)
{
	return stream->owner;
}

const char *stream_address(const struct stream *stream)
{
	return stream->address;
}

void stream_set_address(struct stream *stream, const char *address)
{
	snprintf(stream->address, sizeof(stream->address), "%s", address);
}

void stream_ends(const struct stream *stream, struct proxy_ends *ends)
{
	if (stream->told)
		*ends = *stream->told;
	else
		socket_ends(stream->fd, ends);
}

void stream_set_ends(struct stream *stream, const struct proxy_ends *ends)
{
	if (!stream->told)
		stream->told = xmalloc(sizeof(*stream->told));
	*stream->told = *ends;
	socket_text(&ends->client, stream->address);
}

const struct tls *stream_tls(const struct stream *stream)
{
	return stream->tls;
}

void stream_set_record_max(struct stream *stream, size_t len)
{
	stream->record_max = len;
	if (stream->tls)
		tls_set_record_max(stream->tls, len);
}

void stream_set_quick_ack(struct stream *stream)
{
	stream->quick_ack = true;
}

const char *stream_why(const struct stream *stream)
{
	return *stream->why ? stream->why : NULL;
}

void stream_path(const struct stream *stream, struct stream_path *path)
{
	socket_path(stream->fd, path);
	path->received = stream->n_received;
	path->sent = stream->n_sent;
}
