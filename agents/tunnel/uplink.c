/* uplink: see uplink.h. Control frames are few and small beside the data that they are about; they
 * grow the buffer when they must, data never does. */
#include "agents/tunnel/uplink.h"

#include "lib/clock.h"
#include "lib/mem.h"

#include <sodium.h>

#include <stdio.h>
#include <string.h>

#define IN_SIZE	   (256 * 1024)
#define OUT_FULL   (192 * 1024)		/* no more data from here on */
#define FRAME_HEAD (8 + MUX_HEADER_LEN) /* of all frames of 126 to 65535 bytes */
#define OUT_SPARE  (FRAME_HEAD + UPLINK_DATA_MAX)

struct uplink {
	struct carrier *carrier;
	bool (*take)(void *context, const struct mux_frame *frame);
	void *context;
	struct ws_reader reader;
	struct mux_reader frames;
	uint8_t *in;
	uint8_t *out; /* whole frames, from out_begin to out_end not yet with carrier */
	size_t out_begin, out_end, out_size;
	bool blocked;
	int64_t heard_ms;
	enum ws_status status;
	char why[192];
};

struct uplink *uplink_create(struct carrier *carrier,
	bool (*take)(void *context, const struct mux_frame *frame), void *context)
{
	struct uplink *uplink = xcalloc(1, sizeof(*uplink));

	uplink->carrier = carrier;
	uplink->take = take;
	uplink->context = context;
	uplink->in = xmalloc(IN_SIZE);
	uplink->out_size = OUT_FULL + OUT_SPARE;
	uplink->out = xmalloc(uplink->out_size);
	uplink->heard_ms = clock_ms();
	ws_reader_init(
		&uplink->reader, WS_CLIENT, uplink->in, IN_SIZE, MUX_HEADER_LEN + MUX_DATA_MAX);
	return uplink;
}

void uplink_destroy(struct uplink *uplink)
{
	if (uplink == NULL)
		return;
	carrier_end(uplink->carrier);
	carrier_destroy(uplink->carrier);
	free(uplink->in);
	free(uplink->out);
	free(uplink);
}

static enum uplink_result lost(struct uplink *uplink, const char *why)
{
	snprintf(uplink->why, sizeof(uplink->why), "%s", why);
	return UPLINK_LOST;
}

static enum uplink_result broken(struct uplink *uplink, const char *why)
{
	snprintf(uplink->why, sizeof(uplink->why), "the node broke the protocol: %s", why);
	return UPLINK_LOST;
}

/* ---- sending ---- */

enum uplink_result uplink_flush(struct uplink *uplink)
{
	enum tls_result result =
		carrier_drain(uplink->carrier, uplink->out, &uplink->out_begin, &uplink->out_end);

	if (result == TLS_FAILED)
		return lost(uplink, carrier_why(uplink->carrier));
	uplink->blocked = result != TLS_OK;
	return UPLINK_DONE;
}

bool uplink_is_blocked(const struct uplink *uplink)
{
	return uplink->blocked;
}

/* Puts a header before the `len` bytes that stand `gap` bytes after out_end, and masks them. */
static void wrap(struct uplink *uplink, enum ws_opcode opcode, size_t gap, size_t len)
{
	uint8_t *at = uplink->out + uplink->out_end;
	size_t header_len = ws_header_len(len, true);
	uint8_t mask[WS_MASK_LEN];

	if (header_len != gap)
		memmove(at + header_len, at + gap, len);
	randombytes_buf(mask, sizeof(mask));
	ws_header(at, opcode, len, mask);
	ws_mask(at + header_len, len, mask);
	uplink->out_end += header_len + len;
}

uint8_t *uplink_space(struct uplink *uplink)
{
	if (uplink->blocked || uplink->out_end > OUT_FULL)
		return NULL;
	return uplink->out + uplink->out_end + FRAME_HEAD;
}

void uplink_data(struct uplink *uplink, uint32_t stream, size_t len)
{
	uint8_t *head = uplink->out + uplink->out_end + FRAME_HEAD - MUX_HEADER_LEN;

	mux_header(head, MUX_DATA, stream);
	wrap(uplink, WS_BINARY, FRAME_HEAD - MUX_HEADER_LEN, MUX_HEADER_LEN + len);
}

static void write_small(struct uplink *uplink, enum ws_opcode opcode, const void *data, size_t len)
{
	if (uplink->out_size - uplink->out_end < OUT_SPARE) {
		uplink->out_size *= 2;
		uplink->out = xrealloc(uplink->out, uplink->out_size);
	}
	memcpy(uplink->out + uplink->out_end + WS_HEADER_MAX, data, len);
	wrap(uplink, opcode, WS_HEADER_MAX, len);
}

void uplink_control(struct uplink *uplink, const uint8_t *frame, size_t len)
{
	write_small(uplink, WS_BINARY, frame, len);
}

void uplink_ping(struct uplink *uplink)
{
	write_small(uplink, WS_PING, "", 0);
}

void uplink_close(struct uplink *uplink, enum ws_status status)
{
	const uint8_t code[2] = { (uint8_t)(status >> 8), (uint8_t)status };

	write_small(uplink, WS_CLOSE, code, sizeof(code));
}

/* ---- receiving ---- */

static enum uplink_result closed(struct uplink *uplink, const struct ws_message *message)
{
	size_t len = message->len > 2 ? message->len - 2 : 0;

	uplink->status = ws_close_status(message);
	snprintf(uplink->why, sizeof(uplink->why), "the node closed the tunnel with %d%s%.*s",
		uplink->status, len > 0 ? ": " : "", (int)len, message->data + 2);
	return UPLINK_CLOSED;
}

static enum uplink_result take_message(struct uplink *uplink, const struct ws_message *message)
{
	struct mux_frame frame;
	enum mux_result result;

	switch (message->opcode) {
	case WS_BINARY:
		result =
			mux_reader_take(&uplink->frames, message->data, message->len, true, &frame);
		if (result == MUX_MORE ||
			(result == MUX_FRAME && uplink->take(uplink->context, &frame)))
			return UPLINK_DONE;
		return broken(uplink, "a frame that is out of place");
	case WS_PING:
		write_small(uplink, WS_PONG, message->data, message->len);
		return UPLINK_DONE;
	case WS_CLOSE:
		return closed(uplink, message);
	case WS_TEXT:
		return broken(uplink, "a text message");
	default: /* a pong */
		return UPLINK_DONE;
	}
}

static enum uplink_result take_messages(struct uplink *uplink)
{
	struct ws_message message;
	enum ws_result got;

	while ((got = ws_reader_next(&uplink->reader, &message)) == WS_MESSAGE) {
		enum uplink_result result = take_message(uplink, &message);

		if (result != UPLINK_DONE)
			return result;
	}
	return got == WS_BROKEN ? broken(uplink, uplink->reader.why) : UPLINK_DONE;
}

enum uplink_result uplink_take(struct uplink *uplink, const void *bytes, size_t len)
{
	size_t room;
	uint8_t *space = ws_reader_space(&uplink->reader, &room);

	if (len > room)
		BUG("%zu bytes came with the handshake's reply", len);
	memcpy(space, bytes, len);
	ws_reader_received(&uplink->reader, len);
	return take_messages(uplink);
}

enum uplink_result uplink_receive(struct uplink *uplink)
{
	size_t room, n, total = 0;
	enum uplink_result result;

	while (total < IN_SIZE) {
		uint8_t *space = ws_reader_space(&uplink->reader, &room);

		switch (carrier_read(uplink->carrier, space, room, &n)) {
		case TLS_OK:
			break;
		case TLS_CLOSED:
			return lost(uplink, "the node ended the connection");
		case TLS_FAILED:
			return lost(uplink, carrier_why(uplink->carrier));
		default:
			return UPLINK_DONE;
		}
		total += n;
		uplink->heard_ms = clock_ms();
		ws_reader_received(&uplink->reader, n);
		if ((result = take_messages(uplink)) != UPLINK_DONE)
			return result;
	}
	return UPLINK_MORE;
}

int64_t uplink_heard_ms(const struct uplink *uplink)
{
	return uplink->heard_ms;
}

enum ws_status uplink_status(const struct uplink *uplink)
{
	return uplink->status;
}

const char *uplink_why(const struct uplink *uplink)
{
	return uplink->why;
}
