/* outbox: see outbox.h. */
#include "dataplane/trunk/outbox.h"

#include "lib/bytes.h"
#include "lib/l2.h"

#include <string.h>

_Static_assert(
	OUTBOX_HEADER_LEN + 4 * OUTBOX_PORTS_MAX + L2_HEADER_LEN + L2_FRAME_MAX <= PACKET_MAX,
	"what waits is one packet");

/* The batch that is being made; the loop is one thread. */
static uint8_t batch[OUTBOX_BATCH];

static size_t head_len(size_t n_ports)
{
	return OUTBOX_HEADER_LEN + 4 * n_ports;
}

void outbox_init(struct outbox *outbox)
{
	fair_init(&outbox->fair, OUTBOX_BYTES_MAX);
}

void outbox_finish(struct outbox *outbox)
{
	packet_unref(outbox->frame);
	outbox->frame = NULL;
	fair_finish(&outbox->fair);
}

/* The last frame gets no more ports: it waits for its turn, behind what tells where it goes. */
static void seal_frame(struct outbox *outbox, uint64_t now_us)
{
	struct packet *frame = outbox->frame, *packet;
	size_t len = head_len(outbox->n_ports);
	uint8_t *at;

	if (!frame)
		return;
	packet = packet_new(len + L2_HEADER_LEN + frame->len);
	at = packet->data;
	at[0] = (uint8_t)outbox->what;
	bytes_put_be16(at + 1, outbox->n_ports);
	for (size_t i = 0; i < outbox->n_ports; i++)
		bytes_put_be32(at + head_len(i), outbox->ports[i]);
	l2_write_header(at + len, &frame->offload, frame->len);
	memcpy(at + len + L2_HEADER_LEN, frame->data, frame->len);
	packet->len = (uint32_t)(len + L2_HEADER_LEN + frame->len);
	packet->flow = frame->flow;
	fair_push(&outbox->fair, packet, now_us);
	packet_unref(packet);
	packet_unref(frame);
	outbox->frame = NULL;
}

void outbox_push(struct outbox *outbox, enum trunk_message what, uint32_t port,
	struct packet *frame, uint64_t now_us)
{
	if (outbox->frame != frame || outbox->what != what || outbox->n_ports == OUTBOX_PORTS_MAX) {
		seal_frame(outbox, now_us);
		outbox->frame = packet_ref(frame);
		outbox->what = what;
		outbox->n_ports = 0;
	}
	outbox->ports[outbox->n_ports++] = port;
}

/* Adds the packet to the batch, if it goes to the same ports and there is room for it. */
static bool add(size_t *len, const struct packet *packet)
{
	size_t head = head_len(bytes_be16(packet->data + 1));

	if (*len > 0 &&
		(head_len(bytes_be16(batch + 1)) != head || memcmp(batch, packet->data, head) != 0))
		return false;
	if (*len == 0)
		head = 0;
	if (packet->len - head > sizeof(batch) - *len)
		return false;
	memcpy(batch + *len, packet->data + head, packet->len - head);
	*len += packet->len - head;
	return true;
}

void outbox_flush(struct outbox *outbox, uint64_t now_us)
{
	struct packet *packet;
	size_t len = 0;

	seal_frame(outbox, now_us);
	while (outbox->has_room(outbox->context) && (packet = fair_pop(&outbox->fair, now_us))) {
		if (!add(&len, packet)) {
			if (len > 0)
				outbox->send(outbox->context, batch, len);
			len = 0;
			if (!add(&len, packet))
				outbox->send(outbox->context, packet->data, packet->len);
		}
		packet_unref(packet);
	}
	if (len > 0)
		outbox->send(outbox->context, batch, len);
}
