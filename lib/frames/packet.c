/*
 * packet: allocation in a few sizes, each with a bounded list of free ones.
 */
#include "lib/frames/packet.h"

#include "lib/frames/block.h"
#include "lib/mem.h"

#include <stddef.h>
#include <string.h>

/* A few bytes that wait in a slow port's queue hold a whole block. So when so many are held,
 * packets are copied out of them: no queue costs more than its bytes, and this once. */
#define BLOCKS_MAX 64

_Static_assert(PACKET_HEADROOM >= L2_HEADER_LEN, "a frame's header goes in front of it");

struct size_class {
	const uint32_t capacity;
	const unsigned keep; /* at most so many are kept */
	unsigned kept;
	struct packet *free;
};

/* In a block; a small frame; a full one of an ordinary MTU; a segmentation super-frame. */
static struct size_class classes[] = {
	{ .capacity = 0, .keep = 4096 },
	{ .capacity = 176, .keep = 4096 },
	{ .capacity = 2000, .keep = 2048 },
	{ .capacity = PACKET_MAX, .keep = 64 },
};

static struct size_class *class_for(size_t capacity)
{
	for (size_t i = 0; i < ARRAY_LEN(classes); i++)
		if (capacity <= classes[i].capacity)
			return &classes[i];
	BUG("packet of %zu bytes", capacity);
}

static struct packet *get(struct size_class *class)
{
	struct packet *packet = class->free;

	if (packet) {
		class->free = packet->next;
		class->kept--;
	} else {
		packet = xmalloc(sizeof(*packet) + PACKET_HEADROOM + class->capacity);
	}
	*packet = (struct packet){
		.refs = 1,
		.capacity = class->capacity,
		.data = packet->memory + PACKET_HEADROOM,
		.kind = PACKET_BINARY,
		.final = true,
	};
	return packet;
}

struct packet *packet_new(size_t capacity)
{
	return get(class_for(capacity));
}

struct packet *packet_in(struct block *block, uint8_t *data, size_t len)
{
	struct packet *packet;

	if (block_count() > BLOCKS_MAX) {
		packet = packet_new(len);
		memcpy(packet->data - L2_HEADER_LEN, data - L2_HEADER_LEN, L2_HEADER_LEN + len);
	} else {
		packet = packet_new(0);
		packet->block = block_ref(block);
		packet->data = data;
	}
	packet->len = (uint32_t)len;
	return packet;
}

struct packet *packet_ref(struct packet *packet)
{
	packet->refs++;
	return packet;
}

void packet_unref(struct packet *packet)
{
	struct size_class *class;

	if (!packet || --packet->refs > 0)
		return;
	block_unref(packet->block);
	class = class_for(packet->capacity);
	if (class->kept == class->keep) {
		free(packet);
		return;
	}
	packet->next = class->free;
	class->free = packet;
	class->kept++;
}

size_t packet_cost(const struct packet *packet)
{
	return sizeof(*packet) + PACKET_HEADROOM + (packet->block ? packet->len : packet->capacity);
}

void packet_trim(void)
{
	for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
		struct packet *packet;

		while ((packet = classes[i].free)) {
			classes[i].free = packet->next;
			free(packet);
		}
		classes[i].kept = 0;
	}
}
