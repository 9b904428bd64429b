/*
 * packet: allocation in three sizes, each with a bounded list of free ones.
 */
#include "dataplane/net/packet.h"

#include "lib/mem.h"

#include <stddef.h>

struct size_class {
	const uint32_t capacity;
	const unsigned keep; /* at most so many are kept */
	unsigned kept;
	struct packet *free;
};

/* A small frame; a full one of an ordinary MTU; a segmentation super-frame. */
static struct size_class classes[] = {
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

struct packet *packet_new(size_t capacity)
{
	struct size_class *class = class_for(capacity);
	struct packet *packet = class->free;

	if (packet) {
		class->free = packet->next;
		class->kept--;
	} else {
		packet = xmalloc(sizeof(*packet) + class->capacity);
		packet->capacity = class->capacity;
	}
	packet->next = NULL;
	packet->refs = 1;
	packet->len = 0;
	packet->flow = 0;
	packet->kind = PACKET_BINARY;
	packet->final = true;
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
	return sizeof(*packet) + packet->capacity;
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
