/*
 * counters: the table of the node's metrics.
 */
#include "dataplane/counters.h"

#include "lib/mem.h"
#include "lib/metrics.h"

#define DROPPED(why)                                                                               \
	{                                                                                          \
		.name = "lanyard_frames_dropped_total", .help = "Frames that were not forwarded.", \
		.labels = "reason=\"" why "\"", .type = METRIC_COUNTER                             \
	}
#define VISITORS(became)                                                                           \
	{                                                                                          \
		.name = "lanyard_tunnel_visitors_total",                                           \
		.help = "Connections to the doors of the tunnel, by what became of them.",         \
		.labels = "outcome=\"" became "\"", .type = METRIC_COUNTER                         \
	}
#define COUNT(what, text)                                                                          \
	{                                                                                          \
		.name = "lanyard_" what, .help = text, .type = METRIC_COUNTER                      \
	}
#define NOW(what, text)                                                                            \
	{                                                                                          \
		.name = "lanyard_" what, .help = text, .type = METRIC_GAUGE                        \
	}

static struct metric metrics[] = {
	[COUNTER_CONNECTIONS] = NOW("connections", "WebSocket connections that are open."),
	[COUNTER_SESSIONS] = NOW("sessions", "Members' sessions that are live."),
	[COUNTER_RELAYS] = NOW("relays", "Pairs that are joined on this node."),
	[COUNTER_HANDSHAKES_ACCEPTED] =
		COUNT("handshakes_accepted_total", "Upgrades to WebSocket."),
	[COUNTER_HANDSHAKES_REFUSED] =
		COUNT("handshakes_refused_total", "Requests answered with a status of 4xx or 5xx."),
	[COUNTER_ACCEPTS_FAILED] = COUNT("accepts_failed_total",
		"Times that a door rested because the process had no descriptor left."),
	[COUNTER_RX_FRAMES] = COUNT("frames_received_total", "Ethernet frames from members."),
	[COUNTER_RX_BYTES] = COUNT("bytes_received_total", "Bytes of frames from members."),
	[COUNTER_TX_FRAMES] = COUNT("frames_sent_total", "Ethernet frames to members."),
	[COUNTER_TX_BYTES] = COUNT("bytes_sent_total", "Bytes of frames to members."),
	[COUNTER_DROPPED_SEGMENTS] = COUNT("segments_dropped_total",
		"Segments of super-frames to members that had waited too long; the rest was sent."),
	[COUNTER_RELAY_BYTES] =
		COUNT("relay_bytes_total", "Bytes passed between pairs, and through tunnels."),
	[COUNTER_TRUNKS] = NOW("trunks", "Trunks to other nodes that are open."),
	[COUNTER_TRUNK_RX_BYTES] =
		COUNT("trunk_received_bytes_total", "Bytes of frames from other nodes."),
	[COUNTER_TRUNK_TX_BYTES] =
		COUNT("trunk_sent_bytes_total", "Bytes of frames to other nodes, with addresses."),
	[COUNTER_HOMES] = NOW("homes", "Networks that this node is the home of."),
	[COUNTER_TUNNELS] = NOW("tunnels", "Devices that are linked under their names."),
	[COUNTER_TUNNEL_STREAMS] = NOW("tunnel_streams", "Visitors at these devices."),
	[COUNTER_VISITORS + OUTCOME_JOINED] = VISITORS("joined"),
	[COUNTER_VISITORS + OUTCOME_OWN] = VISITORS("own"),
	[COUNTER_VISITORS + OUTCOME_UNKNOWN] = VISITORS("unknown"),
	[COUNTER_VISITORS + OUTCOME_NO_NAME] = VISITORS("no_name"),
	[COUNTER_VISITORS + OUTCOME_NOT_TLS] = VISITORS("not_tls"),
	[COUNTER_VISITORS + OUTCOME_TOO_LONG] = VISITORS("too_long"),
	[COUNTER_VISITORS + OUTCOME_TOO_SLOW] = VISITORS("too_slow"),
	[COUNTER_VISITORS + OUTCOME_LIMIT] = VISITORS("limit"),
	[COUNTER_VISITORS + OUTCOME_REDIRECTED] = VISITORS("redirected"),
	[COUNTER_DROPPED + DROP_LENGTH] = DROPPED("length"),
	[COUNTER_DROPPED + DROP_SOURCE] = DROPPED("source"),
	[COUNTER_DROPPED + DROP_DESTINATION] = DROPPED("destination"),
	[COUNTER_DROPPED + DROP_POLICY] = DROPPED("policy"),
	[COUNTER_DROPPED + DROP_STORM] = DROPPED("storm"),
	[COUNTER_DROPPED + DROP_LOOP] = DROPPED("loop"),
	[COUNTER_DROPPED + DROP_QUEUE] = DROPPED("queue"),
	[COUNTER_DROPPED + DROP_LATE] = DROPPED("late"),
	[COUNTER_DROPPED + DROP_OFFLOAD] = DROPPED("offload"),
};

_Static_assert(ARRAY_LEN(metrics) == COUNTER_LAST + 1, "each counter has a row");

void counters_register(void)
{
	for (size_t i = 0; i < ARRAY_LEN(metrics); i++)
		if (metrics[i].name) /* DROP_NONE is not counted */
			metric_register(&metrics[i]);
}

void counter_add(enum counter counter, int64_t n)
{
	metric_add(&metrics[counter], n);
}
