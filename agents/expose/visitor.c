/* visitor: see visitor.h. */
#include "agents/expose/visitor.h"

#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/tls.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define HANDSHAKE_MS 10000
#define LINGER_MS    10000 /* for the visitor's own end, after ours */
#define CHUNK	     TLS_RECORD_MAX
#define TURNS	     16 /* chunks in a row, so that others have their turn */

/* What a browser reads when the service behind is not there. */
static const char nobody[] =
	"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain; charset=utf-8\r\n"
	"Cache-Control: no-store\r\nConnection: close\r\nContent-Length: 61\r\n\r\n"
	"The service on this device that should answer is not running\n";

struct peer {
	struct visitor base;
	struct visitor_options options;
	struct loop_watch outer, inner;	     /* inner.fd -1: not connected yet */
	uint32_t outer_events, inner_events; /* 0: not on the loop */
	struct tls *tls;
	struct tls_wire wire;
	struct loop_timer limit; /* of the handshake, and of the end */
	bool shaken, connected;
	bool outer_over, inner_over;   /* nothing more comes from there */
	bool outer_ended, inner_ended; /* told that nothing more goes there */
	bool more;		       /* to open: the turns were over */
	bool nobody;		       /* there is no service */
	uint8_t records[CHUNK + 512];  /* received, wire.in points into it */
	uint8_t plain[CHUNK];	       /* to the service */
	size_t plain_at, plain_len;
};

static void end(struct peer *peer)
{
	peer->options.ended(peer->options.context, &peer->base);
}

static bool again(void)
{
	return errno == EAGAIN || errno == EINTR;
}

/* ---- towards the visitor ---- */

/* Sends what waits; false: the visitor is gone. */
static bool flush_outer(struct peer *peer)
{
	struct tls_wire *wire = &peer->wire;
	ssize_t n = 0;

	if (wire->out_len > 0)
		n = send(peer->outer.fd, wire->out, wire->out_len, MSG_NOSIGNAL);
	if (n < 0)
		return again();
	wire->out_len -= (size_t)n;
	memmove(wire->out, wire->out + n, wire->out_len);
	if (wire->out_len == 0 && peer->inner_over && !peer->outer_ended) {
		peer->outer_ended = true;
		shutdown(peer->outer.fd, SHUT_WR);
		loop_set_timer(peer->options.loop, &peer->limit, clock_ms() + LINGER_MS);
	}
	return true;
}

static void end_inner(struct peer *peer)
{
	peer->inner_over = true;
	tls_end(peer->tls);
}

static bool take_inner(struct peer *peer)
{
	uint8_t bytes[CHUNK];
	size_t len;
	ssize_t n;

	if (peer->inner_over || peer->wire.out_len > 0)
		return true;
	n = recv(peer->inner.fd, bytes, sizeof(bytes), 0);
	if (n < 0)
		return again();
	if (n == 0) {
		end_inner(peer);
		return true;
	}
	return tls_write(peer->tls, bytes, (size_t)n, &len) == TLS_OK;
}

/* ---- towards the service ---- */

static bool flush_inner(struct peer *peer)
{
	ssize_t n = 0;

	if (peer->plain_len > 0)
		n = send(peer->inner.fd, peer->plain + peer->plain_at, peer->plain_len,
			MSG_NOSIGNAL);
	if (n < 0)
		return again();
	peer->plain_at += (size_t)n;
	peer->plain_len -= (size_t)n;
	if (peer->plain_len == 0 && peer->outer_over && !peer->inner_ended) {
		peer->inner_ended = true;
		shutdown(peer->inner.fd, SHUT_WR);
	}
	return true;
}

/* Receives records; false: the connection broke. */
static bool fill_wire(struct peer *peer)
{
	ssize_t n = recv(peer->outer.fd, peer->records, sizeof(peer->records), 0);

	if (n < 0)
		return again();
	if (n == 0)
		peer->outer_over = true;
	peer->wire.in = peer->records;
	peer->wire.in_len = (size_t)n;
	return true;
}

/* Opens a record, or receives what may be one; `received`: there may be more. */
static bool take_outer(struct peer *peer, bool *received)
{
	enum tls_result result;

	if (peer->plain_len > 0 || peer->outer_over)
		return true;
	peer->plain_at = 0;
	result = tls_read(peer->tls, peer->plain, sizeof(peer->plain), &peer->plain_len);
	*received = result == TLS_OK;
	if (result != TLS_OK || peer->nobody)
		peer->plain_len = 0;
	if (result == TLS_OK)
		return true;
	if (result == TLS_CLOSED)
		peer->outer_over = true;
	else if (result == TLS_READ && fill_wire(peer))
		*received = peer->wire.in_len > 0 || peer->outer_over;
	else
		return false;
	return true;
}

/* ---- the connection to the service ---- */

static void on_inner(void *context, uint32_t events);

/* There is no service: a word about it, and the end. What the visitor still says is taken and
 * forgotten: with it unread, the connection's end would take the word along. */
static void answer_nobody(struct peer *peer)
{
	size_t len;

	if (tls_write(peer->tls, (const uint8_t *)nobody, sizeof(nobody) - 1, &len) == TLS_OK)
		end_inner(peer);
	peer->nobody = true;
	peer->plain_len = 0;
}

static void connect_inner(struct peer *peer)
{
	const struct visitor_options *options = &peer->options;
	int fd = socket(options->target->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 ||
		(connect(fd, (const struct sockaddr *)options->target, options->target_len) < 0 &&
			errno != EINPROGRESS)) {
		if (fd >= 0)
			close(fd);
		answer_nobody(peer);
		return;
	}
	peer->inner = (struct loop_watch){ fd, on_inner, peer };
	peer->inner_events = EPOLLOUT;
	loop_add(options->loop, &peer->inner, EPOLLOUT);
}

/* ---- both ---- */

/* What nobody wants to know of is taken off the loop, which would tell of its end again and again.
 */
static void change(struct peer *peer, struct loop_watch *watch, uint32_t *have, uint32_t want)
{
	struct loop *loop = peer->options.loop;

	if (watch->fd < 0 || *have == want)
		return;
	if (*have == 0)
		loop_add(loop, watch, want);
	else if (want == 0)
		loop_remove(loop, watch);
	else
		loop_change(loop, watch, want);
	*have = want;
}

static void drop(struct peer *peer, struct loop_watch *watch, uint32_t *events)
{
	if (watch->fd < 0)
		return;
	change(peer, watch, events, 0);
	close(watch->fd);
	watch->fd = -1;
}

static void watch_both(struct peer *peer)
{
	bool full = peer->wire.out_len > 0;
	bool held = peer->plain_len > 0 || peer->more;

	change(peer, &peer->outer, &peer->outer_events,
		(full ? EPOLLOUT : 0) | (!held && !peer->outer_over ? EPOLLIN : 0));
	change(peer, &peer->inner, &peer->inner_events,
		(held || !peer->connected ? EPOLLOUT : 0) |
			(peer->connected && !full && !peer->inner_over ? EPOLLIN : 0));
}

/* From the visitor to the service, until either has no more or takes no more. */
static bool move_in(struct peer *peer)
{
	bool open = peer->inner.fd >= 0 && peer->connected;

	peer->more = false;
	for (int turn = 0; turn < TURNS; turn++) {
		bool received = false;

		if (!take_outer(peer, &received) || (open && !flush_inner(peer)))
			return false;
		if (peer->plain_len > 0 || !received)
			return true;
	}
	peer->more = true;
	return true;
}

/* Moves bytes both ways as far as they go; false: it is over. */
static bool move(struct peer *peer)
{
	bool open = peer->inner.fd >= 0 && peer->connected;

	if (!move_in(peer) || (open && !take_inner(peer)) || !flush_outer(peer))
		return false;
	return !(peer->outer_ended && peer->outer_over);
}

static void go_on(struct peer *peer)
{
	if (move(peer))
		watch_both(peer);
	else
		end(peer);
}

static void on_inner(void *context, uint32_t events)
{
	struct peer *peer = context;
	int error = 0;
	socklen_t len = sizeof(error);

	(void)events;
	if (!peer->connected) {
		getsockopt(peer->inner.fd, SOL_SOCKET, SO_ERROR, &error, &len);
		peer->connected = true;
		if (error != 0) {
			drop(peer, &peer->inner, &peer->inner_events);
			answer_nobody(peer);
		}
	}
	go_on(peer);
}

/* ---- the handshake ---- */

/* False: it failed. */
static bool shake(struct peer *peer)
{
	enum tls_result result;

	while ((result = tls_handshake(peer->tls)) == TLS_READ) {
		peer->wire.in_len = 0;
		if (!fill_wire(peer) || peer->outer_over)
			return false;
		if (peer->wire.in_len == 0)
			break;
	}
	if (result == TLS_FAILED) {
		(void)flush_outer(peer); /* the alert */
		return false;
	}
	if (result == TLS_OK) {
		peer->shaken = true;
		loop_clear_timer(peer->options.loop, &peer->limit);
		connect_inner(peer);
	}
	return true;
}

static void on_outer(void *context, uint32_t events)
{
	struct peer *peer = context;

	(void)events;
	if (!peer->shaken && (!shake(peer) || !flush_outer(peer)))
		end(peer);
	else if (peer->shaken)
		go_on(peer);
	else
		watch_both(peer);
}

static void on_limit(void *context)
{
	end(context);
}

/* ---- life ---- */

struct visitor *visitor_create(int fd, const struct visitor_options *options)
{
	struct peer *peer = xcalloc(1, sizeof(*peer));
	int on = 1;

	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	peer->options = *options;
	peer->inner.fd = -1;
	peer->tls = tls_accept(options->server, &peer->wire);
	peer->outer = (struct loop_watch){ fd, on_outer, peer };
	peer->outer_events = EPOLLIN;
	peer->limit = (struct loop_timer){ .fire = on_limit, .context = peer };
	loop_add(options->loop, &peer->outer, EPOLLIN);
	loop_set_timer(options->loop, &peer->limit, clock_ms() + HANDSHAKE_MS);
	return &peer->base;
}

void visitor_destroy(struct visitor *visitor)
{
	struct peer *peer = (struct peer *)visitor;

	loop_clear_timer(peer->options.loop, &peer->limit);
	drop(peer, &peer->outer, &peer->outer_events);
	drop(peer, &peer->inner, &peer->inner_events);
	tls_destroy(peer->tls);
	tls_wire_finish(&peer->wire);
	free(peer);
}

bool visitor_shakes_hands(const struct visitor *visitor)
{
	return !((const struct peer *)visitor)->shaken;
}
