/*
 * counters: what /metrics of the node shows. Any thread.
 */
#pragma once

#include <stdint.h>

enum counter {
	COUNTER_CONNECTIONS, /* now open */
	COUNTER_SESSIONS,
	COUNTER_RELAYS, /* joined pairs */
	COUNTER_HANDSHAKES_ACCEPTED,
	COUNTER_HANDSHAKES_REFUSED,
	COUNTER_RX_FRAMES,
	COUNTER_RX_BYTES,
	COUNTER_TX_FRAMES,
	COUNTER_TX_BYTES,
	COUNTER_DROPPED_LENGTH,
	COUNTER_DROPPED_SOURCE,
	COUNTER_DROPPED_DESTINATION,
	COUNTER_DROPPED_QUEUE,
	COUNTER_RELAY_BYTES,
	COUNTER_LAST = COUNTER_RELAY_BYTES,
};

void counters_register(void);
void counter_add(enum counter counter, int64_t n);
