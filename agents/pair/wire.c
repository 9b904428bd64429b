/* wire: see wire.h. */
#include "agents/pair/wire.h"

#include "agents/upgrade.h"
#include "agents/url.h"

#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/tls.h"
#include "lib/ws_splitter.h"

#include <sodium.h>

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define OPEN_MS	    10000 /* to connect, and for the handshakes */
#define KEEPALIVE_S 30	  /* the peer may be gone without a word */

struct wire {
	int fd;
	bool is_ws, is_binary, has_closed;
	unsigned close_status;
	struct tls_trust *trust;
	struct tls *tls; /* NULL: none; owns the socket */
	struct ws_splitter splitter;
	uint8_t in[WIRE_MAX]; /* what came; on a WebSocket from `in_at` on it is not looked at yet
			       */
	size_t in_at, in_len;
	uint8_t *out; /* without TLS: what waits */
	size_t out_len, out_sent;
	int64_t open_until_ms; /* else it is given up */
	char why[WS_CONTROL_MAX + 64];
};

/* ---- bytes ---- */

/* False: the time to open it is over. */
static bool wait_for(const struct wire *wire, short events)
{
	struct pollfd pollfd = { .fd = wire->fd, .events = events };
	int64_t left_ms = wire->open_until_ms - clock_ms();

	return left_ms > 0 && (poll(&pollfd, 1, (int)left_ms) > 0 || errno == EINTR);
}

static void wait_for_room(const struct wire *wire)
{
	struct pollfd pollfd = { .fd = wire->fd, .events = POLLOUT };

	poll(&pollfd, 1, -1);
}

static void put(struct wire *wire, const uint8_t *data, size_t len)
{
	while (wire->tls && len > 0) {
		size_t n;

		if (tls_write(wire->tls, data, len, &n) != TLS_OK) {
			if (tls_flush(wire->tls) != TLS_WRITE)
				return; /* broken: the next receive says why */
			wait_for_room(wire);
			continue;
		}
		data += n;
		len -= n;
	}
	if (len == 0)
		return;
	wire->out = xrealloc(wire->out, wire->out_len + len);
	memcpy(wire->out + wire->out_len, data, len);
	wire->out_len += len;
}

bool wire_flush(struct wire *wire)
{
	if (wire->tls)
		return tls_flush(wire->tls) != TLS_WRITE;
	while (wire->out_sent < wire->out_len) {
		ssize_t n = send(wire->fd, wire->out + wire->out_sent,
			wire->out_len - wire->out_sent, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN)
			return false;
		if (n < 0)
			break; /* the next receive says why */
		wire->out_sent += (size_t)n;
	}
	wire->out_len = wire->out_sent = 0;
	return true;
}

/* Bytes that came; 0: none for now; -1: it is over. */
static ssize_t get(struct wire *wire, uint8_t *buf, size_t size)
{
	enum tls_result result;
	size_t len;
	ssize_t n;

	if (wire->tls) {
		result = tls_read(wire->tls, buf, size, &len);
		if (result == TLS_FAILED)
			snprintf(wire->why, sizeof(wire->why), "%s", tls_why(wire->tls));
		return result == TLS_OK				      ? (ssize_t)len
		       : result == TLS_CLOSED || result == TLS_FAILED ? -1
								      : 0;
	}
	n = recv(wire->fd, buf, size, MSG_DONTWAIT);
	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n < 0)
		snprintf(wire->why, sizeof(wire->why), "%s", strerror(errno));
	return n > 0 ? n : -1;
}

/* ---- opening ---- */

/* 0, or the number of the error. */
static int connect_one(struct wire *wire, const struct addrinfo *address)
{
	const int on = 1, idle_s = KEEPALIVE_S;
	socklen_t len = sizeof(int);
	int error = 0;

	wire->fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (wire->fd < 0)
		return errno;
	setsockopt(wire->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(wire->fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s));
	if (connect(wire->fd, address->ai_addr, address->ai_addrlen) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return errno;
	if (!wait_for(wire, POLLOUT))
		return ETIMEDOUT;
	getsockopt(wire->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	return error;
}

static err_t connect_to(struct wire *wire, const struct url *url, struct fault *fault)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *found;
	char port[8];
	int error;

	snprintf(port, sizeof(port), "%u", url->port);
	if ((error = getaddrinfo(url->host, port, &hints, &found)) != 0)
		return fault_set(
			fault, ERR_UNAVAILABLE, "url", "%s: %s", url->host, gai_strerror(error));
	for (struct addrinfo *one = found; one && wire->fd < 0; one = one->ai_next) {
		if ((error = connect_one(wire, one)) == 0)
			continue;
		fault_set(fault, ERR_UNAVAILABLE, "url", "can't connect to %s port %s: %s",
			url->host, port, strerror(error));
		if (wire->fd >= 0)
			close(wire->fd);
		wire->fd = -1;
	}
	freeaddrinfo(found);
	return wire->fd >= 0 ? OK : ERR_UNAVAILABLE;
}

static err_t begin_tls(
	struct wire *wire, const struct url *url, const char *ca_pem, struct fault *fault)
{
	enum tls_result result;
	err_t err = tls_trust_create(&wire->trust, ca_pem, fault);

	if (err != OK)
		return err;
	wire->tls = tls_create(wire->trust, wire->fd, url->host);
	while ((result = tls_handshake(wire->tls)) == TLS_READ || result == TLS_WRITE)
		if (!wait_for(wire, result == TLS_READ ? POLLIN : POLLOUT))
			return fault_set(fault, ERR_UNAVAILABLE, "url", "%s does not answer in TLS",
				url->host);
	return result == TLS_OK ? OK
				: fault_set(fault, ERR_UNAVAILABLE, "url", "no TLS with %s: %s",
					  url->host, tls_why(wire->tls));
}

static err_t upgrade(
	struct wire *wire, const struct url *url, const char *authorization, struct fault *fault)
{
	char request[UPGRADE_REQUEST_MAX], head[UPGRADE_HEAD_MAX], key[WS_KEY_SIZE];
	bool in_time = true;
	const struct upgrade_request asked = {
		.url = url, .key = key, .authorization = authorization
	};
	struct upgrade answer;
	size_t len = 0;
	ssize_t n;
	err_t err = ERR_OUT_OF_RANGE;

	ws_key(key);
	put(wire, (const uint8_t *)request, upgrade_write(request, &asked));
	while (err == ERR_OUT_OF_RANGE && len < sizeof(head) && in_time) {
		if (!wire_flush(wire))
			in_time = wait_for(wire, POLLOUT);
		if ((n = get(wire, (uint8_t *)head + len, sizeof(head) - len)) < 0)
			return fault_set(fault, ERR_UNAVAILABLE, "url", "the server hung up");
		if (n == 0)
			in_time = wait_for(wire, POLLIN);
		len += (size_t)n;
		err = upgrade_read(&answer, head, len, &asked, fault);
	}
	if (err != OK)
		return err == ERR_OUT_OF_RANGE ? fault_set(fault, ERR_UNAVAILABLE, "url",
							 "no answer to the handshake")
					       : err;
	if (answer.status == 401 || answer.status == 403)
		return fault_set(fault, ERR_UNAUTHENTICATED, "url", "the server refuses the token");
	if (answer.status != 101)
		return fault_set(fault, ERR_UNAVAILABLE, "url",
			"the server answered with status %u", answer.status);
	wire->in_len = len - answer.head_len;
	memcpy(wire->in, head + answer.head_len, wire->in_len);
	return OK;
}

err_t wire_open(struct wire **out, const struct wire_options *options, struct fault *fault)
{
	static const struct {
		const char *scheme;
		bool is_ws, is_tls;
	} kinds[] = { { "wss", true, true }, { "ws", true, false }, { "ssl", false, true },
		{ "tcp", false, false } };
	const char *text = options->url;
	struct wire *wire;
	struct url url;
	size_t i = 0;
	err_t err;

	while (i < ARRAY_LEN(kinds) - 1 &&
		(strncmp(text, kinds[i].scheme, strlen(kinds[i].scheme)) != 0 ||
			text[strlen(kinds[i].scheme)] != ':'))
		i++;
	if ((err = url_parse(&url, kinds[i].scheme, text, fault)) != OK)
		return fault_set(fault, err, "url",
			"expected wss://, ws://, ssl:// or tcp://, a host and a port");
	*out = wire = xcalloc(1, sizeof(*wire));
	wire->fd = -1;
	wire->is_ws = kinds[i].is_ws;
	wire->open_until_ms = clock_ms() + OPEN_MS;
	ws_splitter_init(&wire->splitter, WS_CLIENT);
	err = connect_to(wire, &url, fault);
	if (err == OK && kinds[i].is_tls)
		err = begin_tls(wire, &url, options->ca_pem, fault);
	if (err == OK && wire->is_ws)
		err = upgrade(wire, &url, options->authorization, fault);
	return err;
}

void wire_close(struct wire *wire)
{
	if (!wire)
		return;
	if (wire->tls)
		tls_destroy(wire->tls);
	else if (wire->fd >= 0)
		close(wire->fd);
	tls_trust_destroy(wire->trust);
	free(wire->out);
	free(wire);
}

int wire_fd(const struct wire *wire)
{
	return wire->fd;
}

bool wire_is_message(const struct wire *wire)
{
	return wire->is_ws;
}

bool wire_is_text(const struct wire *wire)
{
	return wire->is_ws && !wire->is_binary;
}

void wire_be_binary(struct wire *wire)
{
	wire->is_binary = true;
}

/* ---- sending ---- */

static void put_control(struct wire *wire, enum ws_opcode opcode, const void *data, size_t len)
{
	uint8_t frame[WS_HEADER_MAX + WS_CONTROL_MAX], mask[WS_MASK_LEN];

	randombytes_buf(mask, sizeof(mask));
	put(wire, frame, ws_control(frame, opcode, data, len, mask));
}

/* The first close frame that is sent is the only one. */
static void say_close(struct wire *wire, enum ws_status status)
{
	uint8_t frame[WS_HEADER_MAX + WS_CONTROL_MAX], mask[WS_MASK_LEN];

	if (wire->has_closed)
		return;
	wire->has_closed = true;
	randombytes_buf(mask, sizeof(mask));
	put(wire, frame, ws_close(frame, status, "", mask));
	wire_flush(wire);
}

void wire_send(struct wire *wire, const void *data, size_t len)
{
	uint8_t header[WS_HEADER_MAX], mask[WS_MASK_LEN];
	AUTO_FREE uint8_t *masked = NULL;

	if (wire->is_ws) {
		randombytes_buf(mask, sizeof(mask));
		put(wire, header,
			ws_header(header, wire->is_binary ? WS_BINARY : WS_TEXT, len, mask));
		masked = xmalloc(len + 1);
		memcpy(masked, data, len);
		ws_mask(masked, len, mask);
		data = masked;
	}
	put(wire, data, len);
	wire_flush(wire);
}

void wire_end(struct wire *wire)
{
	if (wire->is_ws) {
		say_close(wire, WS_STATUS_NORMAL);
	} else if (wire->tls) {
		tls_end(wire->tls);
		wire_flush(wire);
	} else {
		shutdown(wire->fd, SHUT_WR);
	}
}

/* ---- receiving ---- */

/* The next bytes of a message among those that came; 0: there are none; -1: it is over. */
static ssize_t next_piece(struct wire *wire, const uint8_t **data)
{
	enum ws_result result;
	struct ws_piece piece;
	size_t taken;

	while ((result = ws_splitter_next(&wire->splitter, wire->in + wire->in_at,
			wire->in_len - wire->in_at, &taken, &piece)) == WS_MESSAGE) {
		wire->in_at += taken;
		if (piece.opcode == WS_PING) {
			put_control(wire, WS_PONG, piece.data, piece.len);
			wire_flush(wire);
		} else if (piece.opcode == WS_CLOSE) {
			wire->close_status = ws_close_status(
				&(struct ws_message){ WS_CLOSE, piece.data, piece.len });
			say_close(wire, wire->close_status);
			snprintf(wire->why, sizeof(wire->why), "closed: %u %.*s",
				wire->close_status, piece.len > 2 ? (int)piece.len - 2 : 0,
				(const char *)piece.data + 2);
			return -1;
		} else if (piece.opcode != WS_PONG && piece.len > 0) {
			*data = piece.data;
			return (ssize_t)piece.len;
		}
	}
	wire->in_at += taken;
	if (result != WS_BROKEN)
		return 0;
	say_close(wire, wire->splitter.status);
	snprintf(wire->why, sizeof(wire->why), "%s", wire->splitter.why);
	return -1;
}

unsigned wire_close_status(const struct wire *wire)
{
	return wire->close_status;
}

ssize_t wire_receive(struct wire *wire, const uint8_t **data, const char **why)
{
	ssize_t n;

	*why = wire->why;
	if (!wire->is_ws) {
		*data = wire->in;
		return get(wire, wire->in, sizeof(wire->in));
	}
	while ((n = next_piece(wire, data)) == 0) {
		wire->in_len -= wire->in_at;
		memmove(wire->in, wire->in + wire->in_at, wire->in_len);
		wire->in_at = 0;
		if ((n = get(wire, wire->in + wire->in_len, sizeof(wire->in) - wire->in_len)) <= 0)
			return n;
		wire->in_len += (size_t)n;
	}
	return n;
}
