/*
 * channel: see channel.h. Frames of the face, control frames and the closing handshake all leave
 * from the stream's fill.
 */
#include "dataplane/net/channel.h"

#include "dataplane/counters.h"
#include "lib/mem.h"

#include <stdio.h>
#include <string.h>

#define CLOSE_MS  5000	/* for the closing handshake */
#define FINISH_MS 30000 /* for what waits to be written before it */

static uint64_t now_ms(const struct channel *channel)
{
	return stream_now_ms(channel->stream);
}

/* ---- time ---- */

static uint64_t sooner(uint64_t due, uint64_t other)
{
	return due == 0 || other < due ? other : due;
}

static uint64_t ping_due_ms(const struct channel *channel)
{
	uint64_t since =
		channel->heard_ms > channel->pinged_ms ? channel->heard_ms : channel->pinged_ms;

	return since + channel->silence_ms;
}

/* The stream has one timer: the face's, that of the quiet and that of pings take turns. */
static void arm(struct channel *channel)
{
	uint64_t now = now_ms(channel), due = channel->due_ms;

	if (channel->state != CHANNEL_OPEN)
		return;
	if (channel->quiet)
		due = sooner(due, channel->quiet_until_ms);
	if (channel->silence_ms > 0)
		due = sooner(due, ping_due_ms(channel));
	stream_set_timer(channel->stream, due == 0 ? 0 : due > now ? (unsigned)(due - now) : 1);
}

static void end_quiet(struct channel *channel)
{
	if (!channel->quiet)
		return;
	channel->quiet = false;
	arm(channel);
	stream_wake(channel->stream);
}

static void on_timer(struct stream *stream)
{
	struct channel *channel = stream_owner(stream);
	uint64_t now = now_ms(channel);

	if (channel->state != CHANNEL_OPEN) {
		stream_close(stream);
		return;
	}
	if (channel->quiet && now >= channel->quiet_until_ms)
		end_quiet(channel);
	if (channel->silence_ms > 0 && now >= ping_due_ms(channel))
		channel_ping(channel);
	if (channel->due_ms != 0 && now >= channel->due_ms) {
		channel->due_ms = 0;
		arm(channel);
		channel->face->timer(channel);
	} else {
		arm(channel);
	}
}

/* ---- sending ---- */

bool channel_write(struct channel *channel, enum ws_opcode opcode, bool fin,
	const struct iovec *parts, size_t n)
{
	struct iovec all[STREAM_PARTS_MAX];
	uint8_t header[WS_HEADER_MAX];
	size_t len = 0;

	if (n > CHANNEL_PARTS_MAX)
		BUG("a frame of %zu parts", n);
	if (stream_room(channel->stream) == 0) {
		channel->full = true;
		return stream_write(channel->stream, parts, n);
	}
	for (size_t i = 0; i < n; i++)
		len += parts[i].iov_len;
	all[0] = (struct iovec){ header, ws_fragment_header(header, opcode, fin, len, NULL) };
	if (n > 0)
		memcpy(all + 1, parts, n * sizeof(*parts));
	channel->wrote = true;
	return stream_write(channel->stream, all, n + 1);
}

static void write_control(
	struct channel *channel, enum ws_opcode opcode, const void *payload, size_t len)
{
	uint8_t frame[WS_HEADER_MAX + WS_CONTROL_MAX];
	struct iovec part = { frame, ws_control(frame, opcode, payload, len, NULL) };

	stream_write(channel->stream, &part, 1);
}

static void write_head(struct channel *channel)
{
	struct iovec part = { channel->head, strlen(channel->head) };

	stream_write(channel->stream, &part, 1);
	stream_flush(channel->stream);
	free(channel->head);
	channel->head = NULL;
}

static void write_close(struct channel *channel)
{
	uint8_t frame[WS_HEADER_MAX + WS_CONTROL_MAX];
	struct iovec part = { frame, ws_close(frame, channel->code, channel->reason, NULL) };

	if (!stream_write(channel->stream, &part, 1))
		return;
	channel->state = CHANNEL_GONE;
	if (channel->answered)
		stream_finish(channel->stream);
}

static void fill_face(struct channel *channel)
{
	channel->wrote = channel->full = false;
	if (channel->face->fill)
		channel->face->fill(channel);
	if (channel->state == CHANNEL_FINISHING && !channel->wrote && !channel->full)
		channel->state = CHANNEL_CLOSING;
	else if (channel->state == CHANNEL_FINISHING && !channel->full)
		stream_wake(channel->stream);
}

static void on_fill(struct stream *stream)
{
	struct channel *channel = stream_owner(stream);

	if (channel->head)
		write_head(channel);
	if (channel->state == CHANNEL_GONE || channel->quiet)
		return;
	if (channel->pong_due)
		write_control(channel, WS_PONG, channel->pong, channel->pong_len);
	if (channel->ping_due)
		write_control(channel, WS_PING, NULL, 0);
	channel->pong_due = channel->ping_due = false;
	if (channel->state != CHANNEL_CLOSING)
		fill_face(channel);
	if (channel->state == CHANNEL_CLOSING)
		write_close(channel);
}

/* ---- closing ---- */

static bool begin_close(struct channel *channel, enum channel_state state, enum ws_status code,
	const char *reason, unsigned within_ms)
{
	if (channel->state >= state)
		return false;
	channel->state = state;
	channel->code = code;
	snprintf(channel->reason, sizeof(channel->reason), "%s", reason);
	channel->quiet = channel->held = false;
	stream_hold(channel->stream, false); /* else the peer's answer would not be read */
	stream_set_timer(channel->stream, within_ms);
	stream_wake(channel->stream);
	return true;
}

void channel_close(struct channel *channel, enum ws_status code, const char *reason)
{
	begin_close(channel, CHANNEL_CLOSING, code, reason, CLOSE_MS);
}

void channel_finish(struct channel *channel, enum ws_status code, const char *reason)
{
	begin_close(channel, CHANNEL_FINISHING, code, reason, FINISH_MS);
}

/* Ours is the answer, or it was the question and all is said. */
static void on_peer_close(struct channel *channel, const struct ws_piece *piece)
{
	const struct ws_message message = { WS_CLOSE, piece->data, piece->len };
	enum ws_status code = ws_close_status(&message);

	channel->answered = true;
	if (channel->state == CHANNEL_GONE)
		stream_finish(channel->stream);
	else
		channel->left = begin_close(channel, CHANNEL_CLOSING, code, "", CLOSE_MS) &&
				(code == WS_STATUS_NORMAL || code == WS_STATUS_NONE);
}

static void on_broken(struct channel *channel)
{
	channel->answered = true; /* nothing that it says is listened to any more */
	if (channel->state == CHANNEL_GONE)
		stream_finish(channel->stream);
	else
		begin_close(channel, CHANNEL_CLOSING, channel->splitter.status,
			channel->splitter.why, CLOSE_MS);
}

/* ---- receiving ---- */

static void on_piece(struct channel *channel, const struct ws_piece *piece, struct block *block)
{
	const struct channel_piece given = {
		.data = piece->data,
		.len = piece->len,
		.left = piece->left,
		.first = piece->first,
		.final = piece->final,
		.text = piece->opcode == WS_TEXT,
		.block = block,
	};

	switch (piece->opcode) {
	case WS_PING:
		channel->pong_due = true;
		channel->pong_len = (uint8_t)piece->len;
		memcpy(channel->pong, piece->data, piece->len);
		stream_wake(channel->stream);
		break;
	case WS_PONG:
		break;
	case WS_CLOSE:
		on_peer_close(channel, piece);
		break;
	default:
		if (channel->state == CHANNEL_OPEN)
			channel->face->received(channel, &given);
	}
}

static size_t on_received(struct stream *stream, const struct stream_bytes *bytes)
{
	struct channel *channel = stream_owner(stream);
	enum ws_result result = WS_MESSAGE;
	struct ws_piece piece;
	size_t n, taken = 0;

	channel->heard_ms = now_ms(channel);
	end_quiet(channel);
	while (result == WS_MESSAGE && !channel->answered && !channel->held) {
		result = ws_splitter_next(
			&channel->splitter, bytes->data + taken, bytes->len - taken, &n, &piece);
		taken += n;
		if (result == WS_MESSAGE)
			on_piece(channel, &piece, bytes->block);
	}
	if (result == WS_BROKEN && !channel->answered)
		on_broken(channel);
	return channel->answered ? bytes->len : taken;
}

static void on_stopping(struct stream *stream)
{
	channel_close(stream_owner(stream), WS_STATUS_GOING_AWAY, "the node is stopping");
}

static void on_closed(struct stream *stream)
{
	struct channel *channel = stream_owner(stream);

	channel->state = CHANNEL_GONE;
	counter_add(COUNTER_CONNECTIONS, -1);
	channel->face->closed(channel);
	free(channel->head);
	free(channel);
}

static const struct stream_face stream_face = {
	.received = on_received,
	.fill = on_fill,
	.timer = on_timer,
	.stopping = on_stopping,
	.closed = on_closed,
};

/* ---- the opening handshake ---- */

#define KEY_MAX 64 /* an honest Sec-WebSocket-Key has 24 bytes, that of old clients 16 */

/* Drafts of RFC 6455 with the same frames; vpn-ws-client names none. */
static bool is_version_known(const char *version)
{
	return !version || strcmp(version, "13") == 0 || strcmp(version, "8") == 0 ||
	       strcmp(version, "7") == 0;
}

/* Its bytes would be taken for frames. */
static bool has_body(const struct http *http)
{
	const char *len = http_header(http, "Content-Length");

	return http_header(http, "Transfer-Encoding") || (len && strcmp(len, "0") != 0);
}

unsigned channel_check(const struct http *http, const char **why)
{
	const char *key = http_header(http, "Sec-WebSocket-Key");

	*why = "WebSocket begins with GET.";
	if (strcmp(http_method(http), "GET") != 0)
		return 405;
	*why = "This is a WebSocket endpoint.";
	if (!http_has_token(http, "Upgrade", "websocket") ||
		!http_has_token(http, "Connection", "upgrade"))
		return 426;
	*why = "Version 13 of WebSocket is spoken here.";
	if (!is_version_known(http_header(http, "Sec-WebSocket-Version")))
		return 426;
	*why = "A request to upgrade has no body.";
	if (has_body(http))
		return 400;
	*why = "A Sec-WebSocket-Key of 1 to 64 bytes is needed.";
	return !key || *key == '\0' || strlen(key) > KEY_MAX ? 400 : 0;
}

static char *make_head(const char *key, const struct channel_options *options)
{
	const char *protocol = options->protocol;
	char accept[WS_ACCEPT_SIZE];

	ws_accept(key, accept);
	return xasprintf("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
			 "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n%s%s%s%s\r\n",
		accept, protocol ? "Sec-WebSocket-Protocol: " : "", protocol ? protocol : "",
		protocol ? "\r\n" : "", options->headers ? options->headers : "");
}

struct channel *channel_create(
	struct stream *stream, const char *key, const struct channel_options *options)
{
	struct channel *channel = xcalloc(1, sizeof(*channel));

	channel->head = make_head(key, options);
	channel->stream = stream;
	channel->address = stream_address(channel->stream);
	channel->heard_ms = now_ms(channel);
	channel->quiet = options->quiet_ms > 0;
	channel->quiet_until_ms = now_ms(channel) + options->quiet_ms;
	uuid_new(channel->id);
	ws_splitter_init(&channel->splitter, WS_SERVER);
	stream_set_face(channel->stream, &stream_face, channel);
	return channel;
}

struct channel *channel_accept(struct http *http, const struct channel_options *options)
{
	AUTO_FREE char *key = xstrdup(http_header(http, "Sec-WebSocket-Key"));

	return channel_create(http_release(http), key, options);
}

void channel_open(struct channel *channel)
{
	counter_add(COUNTER_HANDSHAKES_ACCEPTED, 1);
	counter_add(COUNTER_CONNECTIONS, 1);
	stream_wake(channel->stream);
	arm(channel);
	if (channel->face->opened)
		channel->face->opened(channel);
}

/* ---- what faces do with it ---- */

void channel_wake(struct channel *channel)
{
	if (channel->state == CHANNEL_OPEN || channel->state == CHANNEL_FINISHING)
		stream_wake(channel->stream);
}

size_t channel_room(const struct channel *channel)
{
	return stream_room(channel->stream);
}

void channel_flush(struct channel *channel)
{
	stream_flush(channel->stream);
}

void channel_hold(struct channel *channel, bool held)
{
	if (channel->state != CHANNEL_OPEN)
		return;
	channel->held = held;
	stream_hold(channel->stream, held);
}

void channel_set_timer(struct channel *channel, unsigned ms)
{
	channel->due_ms = ms > 0 ? now_ms(channel) + ms : 0;
	arm(channel);
}

void channel_ping(struct channel *channel)
{
	channel->pinged_ms = now_ms(channel);
	channel->ping_due = true;
	channel_wake(channel);
}

uint64_t channel_silence_ms(const struct channel *channel)
{
	return now_ms(channel) - channel->heard_ms;
}

void channel_keep_alive(struct channel *channel, unsigned silence_ms)
{
	channel->silence_ms = silence_ms;
	arm(channel);
}

unsigned channel_rtt_us(const struct channel *channel)
{
	struct stream_path path = { 0 };

	stream_path(channel->stream, &path);
	return path.rtt_us;
}
