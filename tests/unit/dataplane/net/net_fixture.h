/*
 * net_fixture: a loop with streams, whose peers are the other ends of socket pairs, driven by the
 * test itself, turn by turn.
 */
#pragma once

#include "dataplane/net/stream.h"
#include "lib/clock.h"
#include "lib/mem.h"

#include <criterion/criterion.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define NET_PATIENCE_MS 20000

static uv_loop_t net_loop;
static struct streams *net_streams;
static bool net_has_ended;

/* Turns of the loop until it is so. */
#define UNTIL(condition)                                                                           \
	do {                                                                                       \
		int64_t until_late_ms = clock_ms() + NET_PATIENCE_MS;                              \
		while (!(condition)) {                                                             \
			cr_assert_lt(clock_ms(), until_late_ms, "never: %s", #condition);          \
			uv_run(&net_loop, UV_RUN_NOWAIT);                                          \
		}                                                                                  \
	} while (0)

static void net_on_ended(void *arg)
{
	(void)arg;
	net_has_ended = true;
}

static void net_setup(void)
{
	cr_assert_eq(uv_loop_init(&net_loop), 0);
	net_streams = streams_create(&net_loop);
}

static void net_teardown(void)
{
	streams_close(net_streams, 0, net_on_ended, NULL);
	UNTIL(net_has_ended);
	cr_assert_eq(uv_loop_close(&net_loop), 0);
	streams_destroy(net_streams);
	block_trim();
}

/* A stream, and its peer's descriptor, which does not block. */
static struct stream *net_stream(const struct stream_face *face, void *owner, int *peer)
{
	int fds[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
	*peer = fds[1];
	return stream_create(net_streams, fds[0], face, owner);
}

static inline void net_send(int fd, const void *data, size_t len)
{
	const uint8_t *next = data;

	while (len > 0) {
		ssize_t n = send(fd, next, len, MSG_NOSIGNAL);

		cr_assert(n > 0 || errno == EAGAIN, "%s", strerror(errno));
		uv_run(&net_loop, UV_RUN_NOWAIT);
		next += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
}

/* Receives until there are `len` bytes, or the end. */
static inline size_t net_receive(int fd, void *out, size_t len)
{
	int64_t late_ms = clock_ms() + NET_PATIENCE_MS;
	size_t have = 0;
	ssize_t n = 1;

	while (have < len && n != 0 && clock_ms() < late_ms) {
		n = recv(fd, (uint8_t *)out + have, len - have, 0);
		have += n > 0 ? (size_t)n : 0;
		uv_run(&net_loop, UV_RUN_NOWAIT);
	}
	return have;
}
