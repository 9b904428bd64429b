/* ws_splitter: see ws_splitter.h. */
#include "lib/ws_splitter.h"

#include "lib/ws_frame.h"

#include <string.h>

void ws_splitter_init(struct ws_splitter *splitter, enum ws_role role)
{
	*splitter = (struct ws_splitter){ .role = role };
}

static enum ws_result broken(struct ws_splitter *splitter, const struct ws_frame *frame)
{
	splitter->status = frame->status;
	splitter->why = frame->why;
	return WS_BROKEN;
}

/* Unmasks with what is left of the mask, and turns it on. */
static void unmask(struct ws_splitter *splitter, uint8_t *data, size_t len)
{
	uint8_t turned[WS_MASK_LEN];

	ws_mask(data, len, splitter->mask);
	for (size_t i = 0; i < WS_MASK_LEN; i++)
		turned[i] = splitter->mask[(i + len) % WS_MASK_LEN];
	memcpy(splitter->mask, turned, sizeof(turned));
}

static enum ws_result take_control(struct ws_splitter *splitter, struct ws_frame *frame,
	uint8_t *payload, struct ws_piece *piece)
{
	if (frame->mask != NULL)
		ws_mask(payload, frame->len, frame->mask);
	*piece = (struct ws_piece){ .opcode = frame->opcode,
		.data = payload,
		.len = frame->len,
		.first = true,
		.final = true };
	if (ws_frame_check_control(frame, payload) == WS_BROKEN)
		return broken(splitter, frame);
	return WS_MESSAGE;
}

static void begin_frame(struct ws_splitter *splitter, const struct ws_frame *frame)
{
	if (frame->opcode != WS_CONTINUATION) {
		splitter->opcode = frame->opcode;
		splitter->first = true;
		splitter->text = (struct utf8_state){ 0 };
	}
	splitter->inside = true;
	splitter->fin = frame->fin;
	splitter->left = frame->len;
	memset(splitter->mask, 0, sizeof(splitter->mask));
	if (frame->mask != NULL)
		memcpy(splitter->mask, frame->mask, sizeof(splitter->mask));
}

static enum ws_result take_payload(
	struct ws_splitter *splitter, uint8_t *data, size_t len, struct ws_piece *piece)
{
	unmask(splitter, data, len);
	splitter->left -= len;
	*piece = (struct ws_piece){ .opcode = splitter->opcode,
		.data = data,
		.len = len,
		.left = splitter->left,
		.first = splitter->first,
		.final = splitter->fin && splitter->left == 0 };
	splitter->first = false;
	splitter->inside = splitter->left > 0;
	if (piece->final)
		splitter->opcode = WS_CONTINUATION;
	if (piece->opcode != WS_TEXT || (utf8_go_on(&splitter->text, data, len) &&
						(!piece->final || utf8_is_whole(&splitter->text))))
		return WS_MESSAGE;
	splitter->status = WS_STATUS_BAD_TEXT;
	splitter->why = "text that is not UTF-8";
	return WS_BROKEN;
}

/* Takes a header, or a whole control frame. */
static enum ws_result take_header(struct ws_splitter *splitter, uint8_t *data, size_t len,
	size_t *taken, struct ws_piece *piece)
{
	struct ws_frame frame;
	enum ws_result result = ws_frame_read(
		&frame, splitter->role, splitter->opcode != WS_CONTINUATION, data, len);

	if (result == WS_BROKEN)
		return broken(splitter, &frame);
	if (result == WS_MORE ||
		(ws_is_control(frame.opcode) && len - frame.header_len < frame.len))
		return WS_MORE;
	*taken = frame.header_len;
	if (!ws_is_control(frame.opcode)) {
		begin_frame(splitter, &frame);
		return WS_MORE;
	}
	*taken += frame.len;
	return take_control(splitter, &frame, data + frame.header_len, piece);
}

enum ws_result ws_splitter_next(struct ws_splitter *splitter, uint8_t *data, size_t len,
	size_t *taken, struct ws_piece *piece)
{
	enum ws_result result;
	size_t n;

	*taken = 0;
	if (splitter->why != NULL)
		return WS_BROKEN;
	if (!splitter->inside) {
		result = take_header(splitter, data, len, taken, piece);
		if (result != WS_MORE || !splitter->inside)
			return result;
	}
	n = len - *taken < splitter->left ? len - *taken : (size_t)splitter->left;
	if (n == 0 && splitter->left > 0)
		return WS_MORE;
	data += *taken;
	*taken += n;
	return take_payload(splitter, data, n, piece);
}
