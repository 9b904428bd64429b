/*
 * Any frames into a switch with two networks of four ports each: two plain ones, a bridge, and one
 * whose address is learned; half of them isolated. The first byte of a record chooses the port, the
 * second the length of the frame that follows. No frame leaves its network, is short, comes from an
 * address that another port owns, passes between isolated ports, reaches a plain port that is not
 * meant, or comes back to its sender, unless as the node's own answer.
 */
#include "dataplane/switch/frame.h"
#include "dataplane/switch/switch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PORTS = 8 };

struct tap {
	struct port port; /* first */
	int network;
};

static struct tap taps[PORTS];
static struct tap *sender;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const struct port *owner_of(uint64_t mac, int network)
{
	for (int i = 0; i < PORTS; i++)
		if (taps[i].network == network && taps[i].port.mac == mac)
			return &taps[i].port;
	return NULL;
}

static void deliver(struct port *port, struct packet *frame)
{
	struct tap *tap = (struct tap *)port;
	struct frame_header header;
	const struct port *owner;

	if (tap->network != sender->network || frame_parse(frame->data, frame->len, &header) != OK)
		abort();
	owner = owner_of(header.source, tap->network);
	if (tap == sender) {
		if (owner == port || frame_mac_is_group(header.source))
			abort();
		return;
	}
	if ((owner && owner != &sender->port) ||
		(port->policy.isolated && sender->port.policy.isolated))
		abort();
	if (!frame_mac_is_group(header.destination) && header.destination != port->mac &&
		!port->policy.bridge)
		abort();
}

static void attach(struct switch_ctx *ctx, int i)
{
	struct port *port = &taps[i].port, *replaced;
	char address[32];
	int kind = i / 2;

	taps[i] = (struct tap){ .network = i % 2 };
	port->deliver = deliver;
	port->mac = kind == 3 ? 0 : 0x020000000000ULL + (uint64_t)kind;
	port->member[0] = (char)('a' + i);
	port->policy.bridge = kind == 2;
	port->policy.mac_limit = kind == 2 ? 4 : 1;
	port->policy.isolated = kind == 1 || kind == 3;
	port->policy.address_guard = kind == 0;
	port->policy.router = kind == 2;
	snprintf(address, sizeof(address), "10.0.0.%d", kind + 1);
	neighbour_set_ipv4(&port->ipv4, address);
	snprintf(address, sizeof(address), "fd00::%d", kind + 1);
	neighbour_set_ipv6(&port->ipv6, address);
	if (switch_attach(ctx, "tenant", i % 2 ? "odd" : "even", port, &replaced) != OK)
		abort();
}

static void forward(struct tap *from, const uint8_t *bytes, size_t len, int64_t now_ms)
{
	struct packet *frame = packet_new(len);

	memcpy(frame->data, bytes, len);
	frame->len = (uint32_t)len;
	sender = from;
	(void)switch_forward(&from->port, frame, now_ms);
	if (frame->refs != 1)
		abort();
	packet_unref(frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const struct switch_rules rules = { .no_multicast = true, .storm_frames = 8 };
	struct switch_ctx *ctx = switch_create();
	int64_t now_ms = 0;

	for (int i = 0; i < PORTS; i++)
		attach(ctx, i);
	switch_set_rules(ctx, "tenant", "odd", &rules);
	while (len >= 2) {
		size_t frame_len = data[1] < len - 2 ? data[1] : len - 2;

		forward(&taps[data[0] % PORTS], data + 2, frame_len, now_ms);
		now_ms += data[0] >> 3 << 9; /* up to 16 s */
		data += 2 + frame_len;
		len -= 2 + frame_len;
	}
	for (int i = 0; i < PORTS; i++) {
		if (switch_count_stations(&taps[i].port, now_ms) >
			(taps[i].port.policy.bridge ? 4 : 1))
			abort();
		switch_detach(ctx, &taps[i].port);
	}
	switch_destroy(ctx);
	return 0;
}
