/* ws_frame: see ws_frame.h. */
#include "lib/ws_frame.h"

#include "lib/utf8.h"

#define FIN    0x80
#define RSV    0x70
#define OPCODE 0x0f
#define MASKED 0x80
#define LEN    0x7f
#define LEN_16 126 /* the length follows in 2 bytes */
#define LEN_64 127 /* ... in 8 bytes */

bool ws_is_control(enum ws_opcode opcode)
{
	return opcode >= WS_CLOSE;
}

enum ws_result ws_frame_broken(struct ws_frame *frame, enum ws_status status, const char *why)
{
	frame->status = status;
	frame->why = why;
	return WS_BROKEN;
}

static enum ws_result wrong(struct ws_frame *frame, const char *why)
{
	return ws_frame_broken(frame, WS_STATUS_PROTOCOL_ERROR, why);
}

static uint64_t big_endian(const uint8_t *bytes, size_t n)
{
	uint64_t value = 0;

	for (size_t i = 0; i < n; i++)
		value = value << 8 | bytes[i];
	return value;
}

/* ---- the rules ---- */

static bool is_lax(enum ws_role role)
{
	return role == WS_LAX_CLIENT;
}

/* vpn-ws-client masks its frames, but not its pings. */
static bool is_mask_right(enum ws_role role, const uint8_t *at)
{
	bool masked = (at[1] & MASKED) != 0;

	if (role == WS_SERVER)
		return masked || (at[0] & OPCODE) == WS_PING;
	return !masked;
}

/* What can be told from the first two bytes alone. */
static enum ws_result check_first_bytes(
	struct ws_frame *frame, enum ws_role role, bool joining, const uint8_t *at)
{
	unsigned opcode = at[0] & OPCODE;

	if (is_lax(role) && opcode <= WS_BINARY)
		return WS_MESSAGE;
	if (at[0] & RSV)
		return wrong(frame, "a reserved bit is set");
	if ((opcode > WS_BINARY && opcode < WS_CLOSE) || opcode > WS_PONG)
		return wrong(frame, "unknown opcode");
	if (!is_mask_right(role, at))
		return wrong(
			frame, role == WS_SERVER ? "a frame without a mask" : "a masked frame");
	if (ws_is_control(opcode))
		return (at[0] & FIN) == 0	 ? wrong(frame, "a fragmented control frame")
		       : (at[1] & LEN) >= LEN_16 ? wrong(frame, "an over-long control frame")
						 : WS_MESSAGE;
	if (opcode == WS_CONTINUATION && !joining)
		return wrong(frame, "a continuation of nothing");
	if (opcode != WS_CONTINUATION && joining)
		return wrong(frame, "a new message inside a fragmented one");
	return WS_MESSAGE;
}

enum ws_result ws_frame_read(
	struct ws_frame *frame, enum ws_role role, bool joining, const uint8_t *at, size_t have)
{
	size_t extended, mask_len;
	uint64_t len;

	if (have < 2)
		return WS_MORE;
	if (check_first_bytes(frame, role, joining, at) == WS_BROKEN)
		return WS_BROKEN;
	len = at[1] & LEN;
	extended = len == LEN_16 ? 2 : len == LEN_64 ? 8 : 0;
	mask_len = at[1] & MASKED ? WS_MASK_LEN : 0;
	if (have < 2 + extended)
		return WS_MORE;
	if (extended > 0)
		len = big_endian(at + 2, extended);
	if (!is_lax(role) &&
		((extended == 2 && len < LEN_16) || (extended == 8 && len <= UINT16_MAX)))
		return wrong(frame, "a length that is not in its shortest form");
	if (len > INT64_MAX)
		return wrong(frame, "a length with its highest bit set");
	frame->fin = (at[0] & FIN) != 0;
	frame->opcode = at[0] & OPCODE;
	if (is_lax(role) && !ws_is_control(frame->opcode)) {
		frame->opcode = WS_BINARY;
		frame->fin = true;
	}
	frame->header_len = 2 + extended + mask_len;
	frame->len = len;
	frame->mask = mask_len > 0 ? at + 2 + extended : NULL;
	return have < frame->header_len ? WS_MORE : WS_MESSAGE;
}

static bool is_close_status(unsigned status)
{
	if (status >= 3000)
		return status <= 4999;
	return status >= 1000 && status <= 1014 && (status < 1004 || status > 1006);
}

enum ws_result ws_frame_check_control(struct ws_frame *frame, const uint8_t *payload)
{
	if (frame->opcode != WS_CLOSE || frame->len == 0)
		return WS_MESSAGE;
	if (frame->len == 1 || !is_close_status((unsigned)big_endian(payload, 2)))
		return wrong(frame, "a close frame with an impossible code");
	if (!utf8_valid(payload + 2, frame->len - 2))
		return ws_frame_broken(
			frame, WS_STATUS_BAD_TEXT, "a close reason that is not UTF-8");
	return WS_MESSAGE;
}
