/*
 * link_end: frames of a length (32 bits, big-endian) and so many sealed bytes: one that tells what
 * it is, then data (lib/sealer.h). Before the first one the one who connected sends the link's id.
 */
#include "dataplane/relay/link_end.h"

#include "lib/log.h"
#include "lib/mem.h"

#include <arpa/inet.h>
#include <string.h>

#define DATA_MAX  (32 * 1024)
#define FRAME_MAX (4 + 1 + DATA_MAX + SEALER_TAG_LEN)

/* What a frame is. */
#define IS_TEXT	 0x01
#define IS_FIRST 0x02
#define IS_FINAL 0x04
#define IS_SHUT	 0x08 /* nothing more will come */

struct link_end {
	struct relay_end relay;
	struct stream *stream;
	struct sealer *push, *pull;
	uint8_t hello[LINK_ID_LEN]; /* to be sent first */
	size_t hello_len;
	bool shut_sent;
};

/* Sealed frames of one fill; the loop is one thread. */
static uint8_t sealed[8 * FRAME_MAX];

/* ---- sending ---- */

static size_t seal(struct link_end *link, uint8_t *out, uint8_t what, const void *data, size_t len)
{
	const struct iovec parts[] = { { &what, 1 }, { (void *)(uintptr_t)data, len } };
	size_t sealed_len = sealer_seal(link->push, out + 4, parts, ARRAY_LEN(parts));
	uint32_t header = htonl((uint32_t)sealed_len);

	memcpy(out, &header, 4);
	return 4 + sealed_len;
}

/* The next piece, or a part of it, as a frame; 0: there is none. */
static size_t next_frame(struct link_end *link, uint8_t *out)
{
	struct end *end = &link->relay.end;
	struct pipe_piece piece;
	size_t len, n;

	if (!pipe_peek(&end->out, &piece)) {
		if (end->state == END_OPEN || link->shut_sent || link->relay.cut)
			return 0;
		link->shut_sent = true;
		return seal(link, out, IS_SHUT, NULL, 0);
	}
	len = piece.len < DATA_MAX ? piece.len : DATA_MAX;
	n = seal(link, out,
		(uint8_t)((piece.text ? IS_TEXT : 0) | (piece.first ? IS_FIRST : 0) |
			  (piece.final && len == piece.len ? IS_FINAL : 0)),
		piece.data, len);
	end->tx_bytes += len;
	pipe_take(&end->out, len);
	return n;
}

static bool send_hello(struct link_end *link)
{
	struct iovec part = { link->hello, link->hello_len };

	if (link->hello_len > 0 && !stream_write(link->stream, &part, 1))
		return false;
	link->hello_len = 0;
	return true;
}

/* The other node takes an end of the link without IS_SHUT for what it is. */
static bool is_last_sent(const struct link_end *link)
{
	return link->shut_sent || (link->relay.cut && pipe_is_empty(&link->relay.end.out));
}

static void on_fill(struct stream *stream)
{
	struct link_end *link = stream_owner(stream);
	size_t used = 0, n;

	if (!send_hello(link))
		return;
	while (stream_room(stream) > 0) {
		if (sizeof(sealed) - used < FRAME_MAX) {
			stream_flush(stream);
			used = 0;
			continue;
		}
		if ((n = next_frame(link, sealed + used)) == 0)
			break;
		/* There was room, and the last write may pass it. */
		if (!stream_write(stream, &(struct iovec){ sealed + used, n }, 1))
			BUG("a link lost a frame");
		used += n;
	}
	stream_flush(stream);
	end_filled(&link->relay.end);
	if (!pipe_is_empty(&link->relay.end.out) ||
		(link->relay.end.state != END_OPEN && !is_last_sent(link)))
		stream_wake(stream); /* only room was missing */
	if (is_last_sent(link) && link->relay.end.state == END_FINISHING)
		stream_finish(stream);
}

/* ---- receiving ---- */

static bool take_frame(struct link_end *link, const uint8_t *data, size_t len)
{
	static uint8_t plain[1 + DATA_MAX];
	struct pipe_piece piece;

	if (len > sizeof(plain) + SEALER_TAG_LEN || len < 1 + SEALER_TAG_LEN ||
		!sealer_open(link->pull, plain, data, len))
		return false;
	if (plain[0] & IS_SHUT) {
		end_ended(&link->relay.end);
		return true;
	}
	piece = (struct pipe_piece){
		.data = plain + 1,
		.len = len - SEALER_TAG_LEN - 1,
		.text = plain[0] & IS_TEXT,
		.first = plain[0] & IS_FIRST,
		.final = plain[0] & IS_FINAL,
	};
	end_received(&link->relay.end, &piece);
	return true;
}

static size_t on_received(struct stream *stream, const struct stream_bytes *bytes)
{
	struct link_end *link = stream_owner(stream);
	size_t at = 0;
	uint32_t len;

	while (bytes->len - at >= 4) {
		memcpy(&len, bytes->data + at, 4);
		len = ntohl(len);
		if (len > FRAME_MAX) {
			stream_close(stream);
			return bytes->len;
		}
		if (bytes->len - at - 4 < len)
			break;
		if (!take_frame(link, bytes->data + at + 4, len)) {
			log_warn("link_broken", "peer=%s", stream_address(stream));
			stream_close(stream);
			return bytes->len;
		}
		at += 4 + len;
	}
	return at;
}

/* ---- the stream ---- */

static void on_ended(struct stream *stream)
{
	stream_close(stream);
}

static void on_timer(struct stream *stream)
{
	struct link_end *link = stream_owner(stream);

	if (link->relay.end.state == END_FINISHING)
		stream_close(stream);
	else if (link->relay.end.face->timer)
		link->relay.end.face->timer(&link->relay.end);
}

static void on_closed(struct stream *stream)
{
	struct link_end *link = stream_owner(stream);

	link->relay.end.state = END_CLOSED;
	link->relay.end.face->closed(&link->relay.end);
}

static const struct stream_face stream_face = {
	.received = on_received,
	.ended = on_ended,
	.fill = on_fill,
	.timer = on_timer,
	.closed = on_closed,
};

static struct stream *stream_of(struct end *end)
{
	return end->connection;
}

static void wake(struct end *end)
{
	stream_wake(stream_of(end));
}

static void hold(struct end *end, bool held)
{
	stream_hold(stream_of(end), held);
}

static void set_timer(struct end *end, unsigned ms)
{
	stream_set_timer(stream_of(end), ms);
}

static void close_now(struct end *end, enum ws_status code, const char *reason)
{
	(void)code;
	(void)reason;
	stream_close(stream_of(end));
}

static void finish(struct end *end, enum ws_status code, const char *reason)
{
	(void)code;
	(void)reason;
	stream_hold(stream_of(end), false);
	stream_set_timer(stream_of(end), END_LINGER_MS);
	stream_wake(stream_of(end));
}

static const struct end_transport transport = {
	.name = "link",
	.wake = wake,
	.hold = hold,
	.set_timer = set_timer,
	.close = close_now,
	.finish = finish,
	.shut = wake,
};

static void on_alone(struct relay_end *one, const struct pipe_piece *piece)
{
	(void)piece;
	end_close(&one->end, WS_STATUS_NORMAL, "");
}

static void on_parted(struct relay_end *one)
{
	end_finish(&one->end, WS_STATUS_NORMAL, "");
}

static void on_gone(struct relay_end *one)
{
	struct link_end *link = (struct link_end *)one;

	sealer_destroy(link->push);
	sealer_destroy(link->pull);
	free(link);
}

static const struct relay_hooks hooks = {
	.received = on_alone,
	.parted = on_parted,
	.closed = on_gone,
};

static struct link_end *create(
	const uint8_t *push_secret, const uint8_t *pull_secret, const uint8_t *id)
{
	struct link_end *link = xcalloc(1, sizeof(*link));

	link->push = sealer_create(push_secret, true);
	link->pull = sealer_create(pull_secret, false);
	if (id) {
		memcpy(link->hello, id, LINK_ID_LEN);
		link->hello_len = LINK_ID_LEN;
	}
	return link;
}

static struct relay_end *begin(struct link_end *link, struct stream *stream)
{
	link->stream = stream;
	end_init(&link->relay.end, &transport, stream, stream_address(stream));
	relay_init(&link->relay, &hooks);
	stream_set_timer(stream, 0);
	stream_set_face(stream, &stream_face, link);
	stream_wake(stream);
	return &link->relay;
}

struct relay_end *link_end_accept(struct stream *stream, const uint8_t keys[LINK_KEYS_LEN])
{
	return begin(create(keys, keys + SEALER_SECRET_LEN, NULL), stream);
}

struct relay_end *link_end_connect(struct streams *streams, int fd, const uint8_t id[LINK_ID_LEN],
	const uint8_t keys[LINK_KEYS_LEN])
{
	struct link_end *link = create(keys + SEALER_SECRET_LEN, keys, id);

	return begin(link, stream_create(streams, fd, &stream_face, link));
}

/* ---- a stream that has not said yet which link it is ---- */

struct waiting {
	struct relay_end *(*came)(
		void *context, struct stream *stream, const uint8_t id[LINK_ID_LEN]);
	void *context;
};

static size_t on_id(struct stream *stream, const struct stream_bytes *bytes)
{
	struct waiting *waiting = stream_owner(stream);
	uint8_t id[LINK_ID_LEN];

	if (bytes->len < LINK_ID_LEN)
		return 0;
	memcpy(id, bytes->data, LINK_ID_LEN);
	if (waiting->came(waiting->context, stream, id))
		free(waiting);
	else
		stream_close(stream);
	return LINK_ID_LEN;
}

static void on_waiting_closed(struct stream *stream)
{
	free(stream_owner(stream));
}

static const struct stream_face waiting_face = {
	.received = on_id,
	.closed = on_waiting_closed,
};

void link_end_await(struct stream *stream,
	struct relay_end *(*came)(
		void *context, struct stream *stream, const uint8_t id[LINK_ID_LEN]),
	void *context)
{
	struct waiting *waiting = xcalloc(1, sizeof(*waiting));

	*waiting = (struct waiting){ came, context };
	stream_set_face(stream, &waiting_face, waiting);
}
