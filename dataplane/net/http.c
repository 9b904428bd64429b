/*
 * http: a request on its stream, from the first byte until the client has hung up.
 */
#include "dataplane/net/http_internal.h"

#include "lib/mem.h"

#include <sodium.h>

#define LINGER_MS  2000		 /* for the client to read an answer and hang up */
#define LINGER_MAX (1024 * 1024) /* bytes that it may still send then */

static size_t on_received(struct stream *stream, const struct stream_bytes *bytes)
{
	struct http *http = stream_owner(stream);

	switch (http->state) {
	case HTTP_READING:
		return http_read_head(http, bytes->data, bytes->len);
	case HTTP_ASKED:
		return 0;
	default:
		http->lingered += bytes->len;
		if (http->lingered > LINGER_MAX)
			stream_close(stream);
		return bytes->len;
	}
}

static void on_fill(struct stream *stream)
{
	struct http *http = stream_owner(stream);
	struct iovec part = { http->answer, http->answer_len };

	if (http->state != HTTP_ANSWERING || !stream_write(stream, &part, 1))
		return;
	http->state = HTTP_LINGERING;
	stream_set_timer(stream, LINGER_MS);
	stream_finish(stream);
}

static void on_timer(struct stream *stream)
{
	struct http *http = stream_owner(stream);

	if (http->state == HTTP_READING)
		http_answer(http, 408, "The request took too long.");
	else
		stream_close(stream);
}

static void http_free(struct http *http)
{
	if (http->head) /* it may hold a token or a password */
		sodium_memzero(http->head, http->size);
	free(http->head);
	free(http->answer);
	free(http);
}

static void on_closed(struct stream *stream)
{
	struct http *http = stream_owner(stream);

	if (http->state == HTTP_ASKED && http->face->gone)
		http->face->gone(http->context, http);
	http_free(http);
}

static const struct stream_face stream_face = {
	.received = on_received,
	.fill = on_fill,
	.timer = on_timer,
	.closed = on_closed,
};

struct http *http_create(struct stream *stream, const struct http_face *face, void *context)
{
	struct http *http = xcalloc(1, sizeof(*http));

	http->stream = stream;
	http->face = face;
	http->context = context;
	http_begin_head(http);
	stream_set_face(stream, &stream_face, http);
	return http;
}

struct stream *http_release(struct http *http)
{
	struct stream *stream = http->stream;

	http_free(http);
	return stream;
}

struct stream *http_stream(const struct http *http)
{
	return http->stream;
}

void http_set_owner(struct http *http, void *owner)
{
	http->owner = owner;
}

void *http_owner(const struct http *http)
{
	return http->owner;
}
