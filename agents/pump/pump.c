/* pump: see pump.h. */
#include "agents/pump/pump.h"

#include "agents/pump/upload.h"

#include "lib/clock.h"
#include "lib/joiner.h"
#include "lib/l2.h"
#include "lib/mem.h"

#include <stdio.h>
#include <string.h>

#define IN_SIZE	   (512 * 1024)
#define TURN_BYTES IN_SIZE /* that one turn takes, before others have theirs */

struct pump {
	struct carrier *carrier;
	struct tap *tap;
	enum pump_format format;
	struct ws_reader reader;
	uint8_t *in;
	struct upload upload;
	bool pong_due; /* of pings that came while blocked only the last is answered (RFC
			  6455, 5.5.3) */
	uint8_t pong[WS_CONTROL_MAX];
	size_t pong_len;
	int64_t heard_ms;
	bool answers;
	bool move; /* the node has said so */
	uint32_t move_ms;
	enum ws_status status;
	char why[192];
};

struct pump *pump_create(const struct pump_options *options)
{
	struct pump *pump = xcalloc(1, sizeof(*pump));
	bool batches = options->format == PUMP_BATCH;

	pump->carrier = options->carrier;
	pump->tap = options->tap;
	pump->format = options->format;
	pump->in = xmalloc(IN_SIZE);
	pump->heard_ms = clock_ms();
	ws_reader_init(&pump->reader, pump->format == PUMP_VPN_WS ? WS_LAX_CLIENT : WS_CLIENT,
		pump->in, IN_SIZE, batches ? L2_MESSAGE_MAX : TAP_FRAME_MAX);
	pump->upload = (struct upload){ .carrier = options->carrier,
		.tap = options->tap,
		.batches = batches,
		.mtu = options->mtu };
	upload_init(&pump->upload);
	tap_set_offload(pump->tap, batches);
	return pump;
}

void pump_destroy(struct pump *pump)
{
	if (pump == NULL)
		return;
	upload_finish(&pump->upload);
	free(pump->in);
	free(pump);
}

static enum pump_result lost(struct pump *pump, const char *why)
{
	snprintf(pump->why, sizeof(pump->why), "%s", why);
	return PUMP_LOST;
}

/* ---- sending ---- */

/* What the connection said of it. */
static enum pump_result sent(struct pump *pump, enum tls_result result)
{
	return result == TLS_FAILED ? lost(pump, carrier_why(pump->carrier)) : PUMP_DONE;
}

enum pump_result pump_flush(struct pump *pump)
{
	return sent(pump, upload_write(&pump->upload));
}

enum pump_result pump_send(struct pump *pump)
{
	ssize_t len = upload_read(&pump->upload);
	enum pump_result result = pump->upload.blocked ? PUMP_DONE : pump_flush(pump);

	if (result == PUMP_DONE && len < 0)
		result = PUMP_NO_TAP;
	return result;
}

enum pump_result pump_ping(struct pump *pump)
{
	return sent(pump, upload_control(&pump->upload, WS_PING, NULL, 0));
}

enum pump_result pump_close(struct pump *pump, enum ws_status status, const char *reason)
{
	return sent(pump, upload_close(&pump->upload, status, reason));
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
			if (l2_read_move(&frame, &pump->move_ms))
				pump->move = true;
			else
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
	enum pump_result result = PUMP_MORE, answered = PUMP_DONE;
	size_t len = 0;

	while (len < TURN_BYTES && result == PUMP_MORE)
		result = receive_some(pump, &len);
	if (len > 0)
		pump->heard_ms = clock_ms();
	if (pump->pong_due && !pump->upload.blocked &&
		(result == PUMP_DONE || result == PUMP_MORE)) {
		pump->pong_due = false;
		answered = sent(
			pump, upload_control(&pump->upload, WS_PONG, pump->pong, pump->pong_len));
	}
	return answered != PUMP_DONE ? answered : result;
}

bool pump_moves(struct pump *pump, uint32_t *window_ms)
{
	bool move = pump->move;

	*window_ms = pump->move_ms;
	pump->move = false;
	return move;
}

bool pump_waits(const struct pump *pump)
{
	return upload_waits(&pump->upload);
}

const struct fair *pump_queue(const struct pump *pump)
{
	return &pump->upload.fair;
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
