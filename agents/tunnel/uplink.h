/*
 * uplink: the WebSocket of a tunnel, with the frames of lib/mux in it. What is written is gathered
 * and sent by one system call; while the socket takes no more, nothing new is to be written. The
 * loop's thread.
 */
#pragma once

#include "agents/carrier.h"

#include "lib/mux.h"
#include "lib/ws.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UPLINK_DATA_MAX (32 * 1024) /* bytes of a frame that we write */

enum uplink_result {
	UPLINK_DONE,
	UPLINK_MORE,   /* again soon: there may be more, and others shall have their turn */
	UPLINK_CLOSED, /* the node sent a close frame: uplink_status and uplink_why */
	UPLINK_LOST,   /* the connection is no more, or the node broke the protocol: uplink_why */
};

struct uplink;

/* Takes the carrier. `take` gets each frame; false: it breaks the protocol. */
struct uplink *uplink_create(struct carrier *carrier,
	bool (*take)(void *context, const struct mux_frame *frame), void *context);
void uplink_destroy(struct uplink *uplink); /* NULL is fine */

/* Takes bytes that came with the handshake's reply. */
enum uplink_result uplink_take(struct uplink *uplink, const void *bytes, size_t len);

/* Reads the socket and answers pings. */
enum uplink_result uplink_receive(struct uplink *uplink);

/* Sends what was written, as far as the socket takes it. */
enum uplink_result uplink_flush(struct uplink *uplink);

/* The socket takes no more: uplink_flush when it is writable. */
bool uplink_is_blocked(const struct uplink *uplink);

/* Space for UPLINK_DATA_MAX bytes that become a frame of DATA with uplink_data; NULL: flush first.
 */
uint8_t *uplink_space(struct uplink *uplink);
void uplink_data(struct uplink *uplink, uint32_t stream, size_t len);

/* Writes a whole frame, of MUX_CONTROL_MAX bytes at most. Always has room. */
void uplink_control(struct uplink *uplink, const uint8_t *frame, size_t len);

void uplink_ping(struct uplink *uplink);
void uplink_close(struct uplink *uplink, enum ws_status status);

int64_t uplink_heard_ms(const struct uplink *uplink); /* clock_ms() of the last bytes */
enum ws_status uplink_status(const struct uplink *uplink);
const char *uplink_why(const struct uplink *uplink);
