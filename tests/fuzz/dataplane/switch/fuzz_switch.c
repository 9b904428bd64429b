/*
 * Any frames into a switch with two networks of three ports each. The first byte of a record
 * chooses the port, the second the length of the frame that follows. No frame leaves its network,
 * comes back to its sender, is short, or has a source that is not its port's.
 */
#include "dataplane/switch/frame.h"
#include "dataplane/switch/switch.h"

#include <stdlib.h>
#include <string.h>

enum { PORTS = 6 };

struct tap {
	struct port port; /* first */
	int network;
};

static struct tap taps[PORTS];
static struct tap *sender;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void deliver(struct port *port, struct packet *frame)
{
	struct tap *tap = (struct tap *)port;
	struct frame_header header;

	if (tap->network != sender->network || tap == sender)
		abort();
	if (frame_parse(frame->data, frame->len, &header) != OK ||
		header.source != sender->port.mac)
		abort();
	if (!frame_mac_is_group(header.destination) && header.destination != port->mac)
		abort();
}

static void attach(struct switch_ctx *ctx, int i)
{
	struct port *replaced;

	taps[i] = (struct tap){ .network = i % 2 };
	taps[i].port.deliver = deliver;
	taps[i].port.mac = 0x020000000000ULL + (uint64_t)(i / 2);
	taps[i].port.member[0] = (char)('a' + i);
	if (switch_attach(ctx, "tenant", i % 2 ? "odd" : "even", &taps[i].port, &replaced) != OK)
		abort();
}

static void forward(struct tap *from, const uint8_t *bytes, size_t len)
{
	struct packet *frame = packet_new(len);

	memcpy(frame->data, bytes, len);
	frame->len = (uint32_t)len;
	sender = from;
	(void)switch_forward(&from->port, frame);
	if (frame->refs != 1)
		abort();
	packet_unref(frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct switch_ctx *ctx = switch_create();

	for (int i = 0; i < PORTS; i++)
		attach(ctx, i);
	while (len >= 2) {
		size_t frame_len = data[1] < len - 2 ? data[1] : len - 2;

		forward(&taps[data[0] % PORTS], data + 2, frame_len);
		data += 2 + frame_len;
		len -= 2 + frame_len;
	}
	for (int i = 0; i < PORTS; i++)
		switch_detach(ctx, &taps[i].port);
	switch_destroy(ctx);
	return 0;
}
