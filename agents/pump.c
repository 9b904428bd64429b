/* pump: see pump.h. */
#include "agents/pump.h"

#include "lib/clock.h"
#include "lib/joiner.h"
#include "lib/l2.h"
#include "lib/mem.h"

#include <sodium.h>

#include <stdio.h>
#include <string.h>

#define IN_SIZE		(512 * 1024)
#define TURN_BYTES	IN_SIZE /* that one turn takes, before others have theirs */
#define BATCH_FRAMES	64
#define BATCH_BYTES	(96 * 1024) /* no further frame is read after these */
#define CONTROL_RESERVE (4 * (WS_HEADER_MAX + WS_CONTROL_MAX))
#define OUT_SIZE	(WS_HEADER_MAX + L2_MESSAGE_MAX + CONTROL_RESERVE)
#define HEADROOM	8 /* the header of all frames of 126 to 65535 bytes */
#define N_MASKS		256

struct pump {
	struct carrier *carrier;
	struct tap *tap;
	enum pump_format format;
	struct ws_reader reader;
	uint8_t *in;
	uint8_t *out; /* whole frames, from out_begin to out_end not yet with carrier */
	size_t out_begin, out_end;
	bool blocked;
	bool pong_due; /* of pings that came while blocked only the last is answered (RFC
			  6455, 5.5.3) */
	uint8_t pong[WS_CONTROL_MAX];
	size_t pong_len;
	uint8_t masks[N_MASKS][WS_MASK_LEN];
	size_t masks_used;
	int64_t heard_ms;
	bool answers;
	enum ws_status status;
	char why[192];
};

struct pump *pump_create(struct carrier *carrier, struct tap *tap, enum pump_format format)
{
	struct pump *pump = xcalloc(1, sizeof(*pump));

	pump->carrier = carrier;
	pump->tap = tap;
	pump->format = format;
	pump->in = xmalloc(IN_SIZE);
	pump->out = xmalloc(OUT_SIZE);
	pump->masks_used = N_MASKS;
	pump->heard_ms = clock_ms();
	ws_reader_init(&pump->reader, format == PUMP_VPN_WS ? WS_LAX_CLIENT : WS_CLIENT, pump->in,
		IN_SIZE, format == PUMP_BATCH ? L2_MESSAGE_MAX : TAP_FRAME_MAX);
	tap_set_offload(tap, format == PUMP_BATCH);
	return pump;
}

void pump_destroy(struct pump *pump)
{
	if (pump == NULL)
		return;
	free(pump->in);
	free(pump->out);
	free(pump);
}

static enum pump_result lost(struct pump *pump, const char *why)
{
	snprintf(pump->why, sizeof(pump->why), "%s", why);
	return PUMP_LOST;
}

/* ---- sending ---- */

/* A fresh unpredictable mask for each frame (RFC 6455, 10.3), made many at a time. */
static const uint8_t *next_mask(struct pump *pump)
{
	if (pump->masks_used == N_MASKS) {
		randombytes_buf(pump->masks, sizeof(pump->masks));
		pump->masks_used = 0;
	}
	return pump->masks[pump->masks_used++];
}

enum pump_result pump_flush(struct pump *pump)
{
	enum tls_result written, flushed;
	size_t n;

	do {
		written = TLS_OK;
		if (pump->out_begin < pump->out_end) {
			written = carrier_write(pump->carrier, pump->out + pump->out_begin,
				pump->out_end - pump->out_begin, &n);
			pump->out_begin += n;
		}
		if (pump->out_begin == pump->out_end)
			pump->out_begin = pump->out_end = 0;
		flushed = carrier_flush(pump->carrier);
		if (written == TLS_FAILED || flushed == TLS_FAILED)
			return lost(pump, carrier_why(pump->carrier));
	} while (written == TLS_WRITE && flushed == TLS_OK);
	pump->blocked = written != TLS_OK || flushed != TLS_OK;
	return PUMP_DONE;
}

/* Makes a message of the frame that stands HEADROOM bytes after out_end. */
static void wrap_frame(struct pump *pump, size_t len)
{
	uint8_t *at = pump->out + pump->out_end;
	size_t header_len = ws_header_len(len, true);
	const uint8_t *mask = next_mask(pump);

	if (header_len != HEADROOM)
		memmove(at + header_len, at + HEADROOM, len);
	ws_header(at, WS_BINARY, len, mask);
	ws_mask(at + header_len, len, mask);
	pump->out_end += header_len + len;
}

/* Both gather what the TAP has, up to a batch; what tap_read said last. */
static ssize_t gather_frames(struct pump *pump)
{
	uint8_t header[TAP_HEADER_LEN];
	ssize_t len = 0;

	for (int n = 0; n < BATCH_FRAMES && pump->out_end < BATCH_BYTES; n++) {
		len = tap_read(
			pump->tap, header, pump->out + pump->out_end + HEADROOM, TAP_FRAME_MAX);
		if (len <= 0)
			break;
		wrap_frame(pump, (size_t)len);
	}
	return len;
}

static ssize_t gather_batch(struct pump *pump)
{
	uint8_t *payload = pump->out + WS_HEADER_MAX;
	const uint8_t *mask = next_mask(pump);
	struct l2_writer writer;
	size_t header_len, room;
	ssize_t len = 0;

	l2_writer_init(&writer, payload, L2_MESSAGE_MAX);
	for (int n = 0; n < BATCH_FRAMES && writer.len < BATCH_BYTES; n++) {
		uint8_t *space = l2_writer_space(&writer, &room);

		len = tap_read(pump->tap, space, space + TAP_HEADER_LEN, room - TAP_HEADER_LEN);
		if (len <= 0)
			break;
		l2_writer_filled(&writer, TAP_HEADER_LEN + (size_t)len);
	}
	if (writer.len == 0)
		return len;
	ws_mask(payload, writer.len, mask);
	header_len = ws_header_len(writer.len, true);
	pump->out_begin = WS_HEADER_MAX - header_len;
	ws_header(pump->out + pump->out_begin, WS_BINARY, writer.len, mask);
	pump->out_end = WS_HEADER_MAX + writer.len;
	return len;
}

enum pump_result pump_send(struct pump *pump)
{
	enum pump_result result;
	ssize_t len;

	if (pump->blocked)
		return PUMP_DONE;
	len = pump->format == PUMP_BATCH ? gather_batch(pump) : gather_frames(pump);
	if (pump->out_end > 0 && (result = pump_flush(pump)) != PUMP_DONE)
		return result;
	return len < 0 ? PUMP_NO_TAP : PUMP_DONE;
}

/* Sends a control frame; one that finds no room is not sent: the peer takes nothing, and will be
 * dead. */
static enum pump_result send_control(
	struct pump *pump, enum ws_opcode opcode, const void *payload, size_t len)
{
	if (pump->out_end + WS_HEADER_MAX + WS_CONTROL_MAX > OUT_SIZE)
		return PUMP_DONE;
	pump->out_end +=
		ws_control(pump->out + pump->out_end, opcode, payload, len, next_mask(pump));
	return pump->blocked ? PUMP_DONE : pump_flush(pump);
}

enum pump_result pump_ping(struct pump *pump)
{
	return send_control(pump, WS_PING, NULL, 0);
}

enum pump_result pump_close(struct pump *pump, enum ws_status status, const char *reason)
{
	if (pump->out_end + WS_HEADER_MAX + WS_CONTROL_MAX > OUT_SIZE)
		return PUMP_DONE;
	pump->out_end += ws_close(pump->out + pump->out_end, status, reason, next_mask(pump));
	return pump->blocked ? PUMP_DONE : pump_flush(pump);
}

/* ---- receiving ---- */

static enum pump_result closed(struct pump *pump, const struct ws_message *message)
{
	size_t len = message->len > 2 ? message->len - 2 : 0;

	pump->status = ws_close_status(message);
	snprintf(pump->why, sizeof(pump->why), "the node closed the session with %d%s%.*s",
		pump->status, len > 0 ? ": " : "", (int)len, message->data + 2);
	return PUMP_CLOSED;
}

static enum pump_result broken(struct pump *pump, enum ws_status status, const char *why)
{
	pump->status = status;
	snprintf(pump->why, sizeof(pump->why), "the node broke the protocol: %s", why);
	return PUMP_BROKEN;
}

static void write_joined(struct pump *pump, struct joiner *joiner)
{
	struct l2_frame frame;

	if (joiner_end(joiner, &frame))
		tap_write(pump->tap, frame.data - TAP_HEADER_LEN, frame.data, frame.len);
}

static enum pump_result take_batch(struct pump *pump, const struct ws_message *message)
{
	struct joiner joiner = { .n = 0 };
	struct l2_reader reader;
	struct l2_frame frame;
	enum l2_result got;

	l2_reader_init(&reader, message->data, message->len);
	while ((got = l2_next(&reader, &frame)) == L2_FRAME || got == L2_SKIPPED) {
		if (got == L2_SKIPPED) {
			pump->tap->dropped++;
		} else if (!pump->tap->takes_datagrams || !joiner_add(&joiner, &frame)) {
			write_joined(pump, &joiner);
			joiner_begin(&joiner, &frame);
		}
	}
	write_joined(pump, &joiner);
	return got == L2_END
		       ? PUMP_DONE
		       : broken(pump, WS_STATUS_PROTOCOL_ERROR, "a batch of frames that is cut");
}

static enum pump_result take_message(struct pump *pump, const struct ws_message *message)
{
	switch (message->opcode) {
	case WS_BINARY:
		if (pump->format == PUMP_BATCH)
			return take_batch(pump, message);
		tap_write(pump->tap, NULL, message->data, message->len);
		return PUMP_DONE;
	case WS_PING:
		pump->pong_due = true;
		pump->pong_len = message->len;
		memcpy(pump->pong, message->data, message->len);
		return PUMP_DONE;
	case WS_CLOSE:
		return closed(pump, message);
	case WS_TEXT:
		return broken(pump, WS_STATUS_UNSUPPORTED, "a text message");
	default: /* a pong */
		pump->answers = true;
		return PUMP_DONE;
	}
}

static enum pump_result take_messages(struct pump *pump)
{
	struct ws_message message;
	enum ws_result got;

	while ((got = ws_reader_next(&pump->reader, &message)) == WS_MESSAGE) {
		enum pump_result result = take_message(pump, &message);

		if (result != PUMP_DONE)
			return result;
	}
	return got == WS_MORE ? PUMP_DONE : broken(pump, pump->reader.status, pump->reader.why);
}

enum pump_result pump_take(struct pump *pump, const void *bytes, size_t len)
{
	size_t room;
	uint8_t *space = ws_reader_space(&pump->reader, &room);

	if (len > room)
		BUG("%zu bytes with the handshake's reply", len);
	memcpy(space, bytes, len);
	ws_reader_received(&pump->reader, len);
	return take_messages(pump);
}

/* One TLS record, or what one system call brings; adds its length. PUMP_MORE: there may be more. */
static enum pump_result receive_some(struct pump *pump, size_t *len)
{
	size_t room, n = 0;
	uint8_t *space = ws_reader_space(&pump->reader, &room);
	enum pump_result result;

	switch (carrier_read(pump->carrier, space, room, &n)) {
	case TLS_OK:
		ws_reader_received(&pump->reader, n);
		*len += n;
		result = take_messages(pump);
		return result == PUMP_DONE ? PUMP_MORE : result;
	case TLS_CLOSED:
		return lost(pump, "the node ended the connection");
	case TLS_FAILED:
		return lost(pump, carrier_why(pump->carrier));
	default:
		return PUMP_DONE;
	}
}

enum pump_result pump_receive(struct pump *pump)
{
	enum pump_result result = PUMP_MORE, sent = PUMP_DONE;
	size_t len = 0;

	while (len < TURN_BYTES && result == PUMP_MORE)
		result = receive_some(pump, &len);
	if (len > 0)
		pump->heard_ms = clock_ms();
	if (pump->pong_due && !pump->blocked && (result == PUMP_DONE || result == PUMP_MORE)) {
		pump->pong_due = false;
		sent = send_control(pump, WS_PONG, pump->pong, pump->pong_len);
	}
	return sent != PUMP_DONE ? sent : result;
}

bool pump_is_blocked(const struct pump *pump)
{
	return pump->blocked;
}

int64_t pump_heard_ms(const struct pump *pump)
{
	return pump->heard_ms;
}

bool pump_answers(const struct pump *pump)
{
	return pump->answers;
}

enum ws_status pump_status(const struct pump *pump)
{
	return pump->status;
}

const char *pump_why(const struct pump *pump)
{
	return pump->why;
}
