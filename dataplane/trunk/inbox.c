/* inbox: see inbox.h. */
#include "dataplane/trunk/inbox.h"

#include "lib/bytes.h"
#include "lib/frames/block.h"
#include "lib/frames/flow.h"
#include "lib/l2.h"

#include <string.h>

void inbox_finish(struct inbox *inbox)
{
	block_unref(inbox->block);
	inbox->block = NULL;
}

/* Where the longest message fits. */
static void begin_message(struct inbox *inbox)
{
	inbox->begin += inbox->len;
	inbox->len = 0;
	if (inbox->block && BLOCK_SIZE - inbox->begin >= INBOX_MESSAGE_MAX)
		return;
	block_unref(inbox->block);
	inbox->block = block_new();
	inbox->begin = 0;
}

static bool take_batch(struct inbox *inbox, enum trunk_message what, const uint32_t *ports,
	size_t n, struct l2_reader *reader)
{
	enum l2_result result;
	struct l2_frame frame;

	while ((result = l2_next(reader, &frame)) == L2_FRAME || result == L2_SKIPPED) {
		struct packet *packet;

		if (result == L2_SKIPPED)
			continue;
		packet = packet_in(inbox->block, frame.data, frame.len);
		packet->offload = frame.offload;
		packet->flow = flow_hash(inbox->seed, packet->data, packet->len);
		inbox->frame(inbox->context, what, ports, n, packet);
		packet_unref(packet);
	}
	return result == L2_END;
}

static bool take_frames(struct inbox *inbox, uint8_t *message, size_t len)
{
	uint32_t ports[OUTBOX_PORTS_MAX];
	struct l2_reader reader;
	size_t n, head;

	if (len < OUTBOX_HEADER_LEN)
		return false;
	n = bytes_be16(message + 1);
	head = OUTBOX_HEADER_LEN + 4 * n;
	if (n == 0 || n > OUTBOX_PORTS_MAX || head > len || (message[0] == TRUNK_UP && n != 1))
		return false;
	for (size_t i = 0; i < n; i++)
		ports[i] = bytes_be32(message + OUTBOX_HEADER_LEN + 4 * i);
	l2_reader_init(&reader, message + head, len - head);
	return take_batch(inbox, message[0], ports, n, &reader);
}

bool inbox_take(struct inbox *inbox, const struct inbox_piece *piece)
{
	uint8_t *message;

	if (piece->first)
		begin_message(inbox);
	else if (!inbox->open)
		return false;
	inbox->open = !piece->final;
	if (piece->len > INBOX_MESSAGE_MAX - inbox->len)
		return false;
	message = inbox->block->data + inbox->begin;
	if (piece->len > 0)
		memcpy(message + inbox->len, piece->data, piece->len);
	inbox->len += piece->len;
	if (!piece->final)
		return true;
	if (inbox->len == 0)
		return false;
	if (message[0] == TRUNK_UP || message[0] == TRUNK_DOWN)
		return take_frames(inbox, message, inbox->len);
	if (message[0] == TRUNK_CONTROL)
		inbox->control(inbox->context, message + 1, inbox->len - 1);
	return true; /* of a later version, what it does not know */
}
