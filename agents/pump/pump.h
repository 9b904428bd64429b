/*
 * pump: Ethernet frames between the TAP and an open WebSocket connection, in batches both ways
 * (docs/agent.md tells the sizes): many frames become one system call of the socket, and one
 * system call of the socket brings up to 256 KB. Bounded: while the socket takes no more, frames
 * wait in a fair queue (upload.h), which drops what is too much.
 */
#pragma once

#include "agents/carrier.h"

#include "lib/frames/fair.h"
#include "lib/tap.h"
#include "lib/ws.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pump_result {
	PUMP_DONE,   /* nothing more to do now */
	PUMP_MORE,   /* again soon: there may be more, and others shall have their turn */
	PUMP_CLOSED, /* the peer sent a close frame: pump.status and pump.why */
	PUMP_BROKEN, /* the peer broke the protocol: to be closed with pump.status */
	PUMP_LOST,   /* the connection is no more: pump.why */
	PUMP_NO_TAP, /* the interface is down or gone */
};

/* What a binary message is. */
enum pump_format {
	PUMP_FRAME,  /* one Ethernet frame */
	PUMP_VPN_WS, /* the same, from a server that hands on frames as others sent them */
	PUMP_BATCH,  /* several, with what the kernel left to do for each (lib/l2) */
};

struct pump;

struct pump_options {
	struct carrier *carrier; /* kept */
	struct tap *tap;	 /* kept; its offload is switched on or off */
	enum pump_format format;
	uint32_t mtu; /* of the network */
};

struct pump *pump_create(const struct pump_options *options);
void pump_destroy(struct pump *pump); /* NULL is fine */

/* Takes bytes that came with the handshake's reply. */
enum pump_result pump_take(struct pump *pump, const void *bytes, size_t len);

/* Reads the socket, writes the TAP, answers pings. */
enum pump_result pump_receive(struct pump *pump);

/* Reads the TAP, writes the socket if it takes something. */
enum pump_result pump_send(struct pump *pump);

/* Sends some of what waits: when the socket is writable. */
enum pump_result pump_flush(struct pump *pump);

enum pump_result pump_ping(struct pump *pump);
enum pump_result pump_close(struct pump *pump, enum ws_status status, const char *reason);

/* The node wants this session to move to another node within so long; true once. */
bool pump_moves(struct pump *pump, uint32_t *window_ms);

/* Something waits: pump_flush when the socket is writable. */
bool pump_waits(const struct pump *pump);

/* What of the TAP waits, and was dropped. */
const struct fair *pump_queue(const struct pump *pump);

/* When the last bytes came, clock_ms(). */
int64_t pump_heard_ms(const struct pump *pump);

/* The peer has answered a ping. */
bool pump_answers(const struct pump *pump);

enum ws_status pump_status(const struct pump *pump);
const char *pump_why(const struct pump *pump);
