/*
 * ws_frame: the header of one WebSocket frame, checked; what the two ways of reading (ws.h,
 * ws_splitter.h) share.
 */
#pragma once

#include "lib/ws.h"

struct ws_frame {
	bool fin;
	enum ws_opcode opcode;
	size_t header_len;
	uint64_t len;	       /* of the payload */
	const uint8_t *mask;   /* NULL: none */
	enum ws_status status; /* why it is broken */
	const char *why;
};

bool ws_is_control(enum ws_opcode opcode);

/* Says why the peer broke the protocol; WS_BROKEN. */
enum ws_result ws_frame_broken(struct ws_frame *frame, enum ws_status status, const char *why);

/* Reads the header that begins the `have` bytes. `joining`: the message before it has not ended.
 * WS_MESSAGE: it is whole and good. */
enum ws_result ws_frame_read(
	struct ws_frame *frame, enum ws_role role, bool joining, const uint8_t *at, size_t have);

/* Checks the payload of a control frame, unmasked. */
enum ws_result ws_frame_check_control(struct ws_frame *frame, const uint8_t *payload);
