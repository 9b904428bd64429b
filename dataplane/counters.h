/*
 * counters: what /metrics of the node shows. Any thread.
 */
#pragma once

#include "dataplane/switch/drops.h"
#include "dataplane/tunnel/outcome.h"

#include <stdint.h>

enum counter {
	COUNTER_CONNECTIONS, /* now open */
	COUNTER_SESSIONS,
	COUNTER_RELAYS, /* joined pairs */
	COUNTER_HANDSHAKES_ACCEPTED,
	COUNTER_HANDSHAKES_REFUSED,
	COUNTER_ACCEPTS_FAILED,
	COUNTER_RX_FRAMES,
	COUNTER_RX_BYTES,
	COUNTER_TX_FRAMES,
	COUNTER_TX_BYTES,
	COUNTER_DROPPED_SEGMENTS,
	COUNTER_RELAY_BYTES,
	COUNTER_TRUNKS,
	COUNTER_TRUNK_RX_BYTES,
	COUNTER_TRUNK_TX_BYTES,
	COUNTER_HOMES,
	COUNTER_TUNNELS,
	COUNTER_TUNNEL_STREAMS,
	COUNTER_VISITORS, /* one for each enum outcome */
	COUNTER_DROPPED = COUNTER_VISITORS +
			  OUTCOME_N, /* one for each enum drop: COUNTER_DROPPED + DROP_QUEUE */
	COUNTER_LAST = COUNTER_DROPPED + DROP_N - 1,
};

void counters_register(void);
void counter_add(enum counter counter, int64_t n);
