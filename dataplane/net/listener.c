/*
 * listener: accepts until there is nothing more or the batch is full; out of descriptors it rests.
 */
#include "dataplane/net/listener.h"

#include "dataplane/counters.h"
#include "dataplane/net/door.h"
#include "dataplane/net/proxy_protocol.h"
#include "lib/log.h"
#include "lib/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH	64  /* accepted before other connections get their turn */
#define REST_MS 200 /* out of descriptors: time to wait for one */

struct listener {
	struct listener_options options;
	int fd;
	int open_handles;
	bool starved; /* the last connection could not be accepted */
	uv_poll_t poll;
	uv_timer_t rest;
};

static void on_readable(uv_poll_t *poll, int status, int events);

static void on_rested(uv_timer_t *timer)
{
	struct listener *listener = timer->data;

	uv_poll_start(&listener->poll, UV_READABLE, on_readable);
}

/* ---- new connections ---- */

static void admit(const struct listener_options *options, struct stream *stream)
{
	if (options->tls)
		stream_secure(stream, options->tls);
	options->accepted(options->context, stream);
}

/* Its owner is a copy of the options: the connection may outlive its listener. */
static size_t on_proxy_received(struct stream *stream, const struct stream_bytes *bytes)
{
	struct listener_options *options = stream_owner(stream);
	struct proxy_ends ends;
	const char *why;
	size_t taken;

	switch (proxy_read(bytes->data, bytes->len, &taken, &ends, &why)) {
	case PROXY_MORE:
		return 0;
	case PROXY_BROKEN:
		LOG_THROTTLED(LOG_LEVEL_WARN, "proxy_header_bad", "proxy=%s cause=\"%s\"",
			stream_address(stream), why);
		stream_close(stream);
		return bytes->len;
	case PROXY_READ:
		break;
	}
	if (ends.client.ss_family != AF_UNSPEC)
		stream_set_ends(stream, &ends);
	admit(options, stream);
	free(options);
	return taken;
}

static void on_proxy_closed(struct stream *stream)
{
	free(stream_owner(stream));
}

static const struct stream_face proxy_face = {
	.received = on_proxy_received,
	.closed = on_proxy_closed,
};

/* Its user sets a face in `accepted`, before anything can happen to it. */
static void take(struct listener *listener, int fd)
{
	const struct listener_options *options = &listener->options;
	struct stream *stream = stream_create(options->streams, fd, NULL, NULL);
	struct listener_options *copy;
	struct proxy_ends ends;

	stream_ends(stream, &ends);
	if (!options->proxies || !proxies_include(options->proxies, &ends.client)) {
		admit(options, stream);
		return;
	}
	copy = xmalloc(sizeof(*copy));
	*copy = *options;
	stream_set_face(stream, &proxy_face, copy);
}

static bool out_of_descriptors(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static void starve(struct listener *listener, const char *cause)
{
	counter_add(COUNTER_ACCEPTS_FAILED, 1);
	LOG_THROTTLED(LOG_LEVEL_ERROR, "accept_failed",
		"listen=%s cause=\"%s\" advice=\"raise the process's limit of open files, or "
		"start more nodes\"",
		log_value(listener->options.door.listen), cause);
	listener->starved = true;
	uv_poll_stop(&listener->poll);
	uv_timer_start(&listener->rest, on_rested, REST_MS, 0);
}

static void recover(struct listener *listener)
{
	if (listener->starved)
		LOG_THROTTLED(LOG_LEVEL_INFO, "accepting_again", "listen=%s",
			log_value(listener->options.door.listen));
	listener->starved = false;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct listener *listener = poll->data;

	(void)status;
	(void)events;
	for (int i = 0; i < BATCH; i++) {
		int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			recover(listener);
			take(listener, fd);
			continue;
		}
		if (out_of_descriptors(errno))
			starve(listener, strerror(errno));
		return; /* nothing more, or one that went away before it was accepted */
	}
}

static void on_closed(uv_handle_t *handle)
{
	struct listener *listener = handle->data;

	if (--listener->open_handles > 0)
		return;
	door_close(&listener->options.door, listener->fd);
	free(listener);
}

err_t listener_open(struct listener **out, const struct listener_options *options)
{
	struct listener *listener;
	err_t err;
	int fd;

	err = door_open(&options->door, &fd);
	if (err != OK)
		return err;
	listener = xcalloc(1, sizeof(*listener));
	listener->options = *options;
	listener->fd = fd;
	listener->open_handles = 2;
	listener->poll.data = listener;
	listener->rest.data = listener;
	uv_timer_init(options->loop, &listener->rest);
	if (uv_poll_init(options->loop, &listener->poll, fd) != 0)
		BUG("a listening socket can't be polled");
	uv_poll_start(&listener->poll, UV_READABLE, on_readable);
	*out = listener;
	return OK;
}

unsigned listener_port(const struct listener *listener)
{
	union {
		struct sockaddr any;
		struct sockaddr_in four;
		struct sockaddr_in6 six;
	} address;
	socklen_t len = sizeof(address);

	if (getsockname(listener->fd, &address.any, &len) != 0)
		return 0;
	if (address.any.sa_family == AF_INET)
		return ntohs(address.four.sin_port);
	return address.any.sa_family == AF_INET6 ? ntohs(address.six.sin6_port) : 0;
}

void listener_close(struct listener *listener)
{
	if (!listener)
		return;
	uv_close((uv_handle_t *)&listener->poll, on_closed);
	uv_close((uv_handle_t *)&listener->rest, on_closed);
}
