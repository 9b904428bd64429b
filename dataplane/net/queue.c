/*
 * queue: a ring of packet references that grows with need and is given back when it is empty again.
 */
#include "dataplane/net/queue.h"

#include "lib/mem.h"

#define WRITE_MAX  256 /* packets that one system call sends */
#define SLOTS_MIN  32
#define SLOTS_IDLE 256 /* an empty ring above this is freed */

static void ring_grow(struct queue *queue)
{
	size_t n_slots = queue->n_slots ? queue->n_slots * 2 : SLOTS_MIN;
	struct packet **slots = xcalloc(n_slots, sizeof(*slots));

	for (size_t i = 0; i < queue->n; i++)
		slots[i] = queue->slots[(queue->first + i) & (queue->n_slots - 1)];
	free(queue->slots);
	queue->slots = slots;
	queue->n_slots = n_slots;
	queue->first = 0;
}

static void ring_free(struct queue *queue)
{
	free(queue->slots);
	queue->slots = NULL;
	queue->n_slots = 0;
	queue->first = 0;
}

void queue_init(struct queue *queue, size_t bytes_max)
{
	*queue = (struct queue){ .bytes_max = bytes_max };
}

void queue_finish(struct queue *queue)
{
	struct packet *packet;

	while ((packet = queue_pop(queue)))
		packet_unref(packet);
	ring_free(queue);
}

bool queue_push(struct queue *queue, struct packet *packet)
{
	size_t cost = packet_cost(packet);

	if (cost > queue->bytes_max - queue->bytes)
		return false;
	if (queue->n == queue->n_slots)
		ring_grow(queue);
	queue->slots[(queue->first + queue->n) & (queue->n_slots - 1)] = packet_ref(packet);
	queue->n++;
	queue->bytes += cost;
	return true;
}

struct packet *queue_peek(const struct queue *queue)
{
	return queue->n > 0 ? queue->slots[queue->first] : NULL;
}

struct packet *queue_pop(struct queue *queue)
{
	struct packet *packet = queue_peek(queue);

	if (!packet)
		return NULL;
	queue->first = (queue->first + 1) & (queue->n_slots - 1);
	queue->n--;
	queue->bytes -= packet_cost(packet);
	if (queue->n == 0 && queue->n_slots > SLOTS_IDLE)
		ring_free(queue);
	return packet;
}

bool queue_is_empty(const struct queue *queue)
{
	return queue->n == 0;
}

static enum ws_opcode opcode_of(const struct packet *packet)
{
	static const enum ws_opcode opcodes[] = {
		[PACKET_BINARY] = WS_BINARY,
		[PACKET_TEXT] = WS_TEXT,
		[PACKET_CONTINUATION] = WS_CONTINUATION,
	};

	return opcodes[packet->kind];
}

/* Writes at most WRITE_MAX packets; they have to stay until they are with the kernel. */
static size_t write_some(struct queue *queue, struct channel *channel, size_t *bytes)
{
	struct packet *written[WRITE_MAX];
	size_t n;

	for (n = 0; n < WRITE_MAX && !queue_is_empty(queue) && channel_room(channel) > 0; n++) {
		struct packet *packet = written[n] = queue_pop(queue);
		const struct iovec part = { packet->data, packet->len };

		channel_write(channel, opcode_of(packet), packet->final, &part, 1);
		*bytes += packet->len;
	}
	channel_flush(channel);
	for (size_t i = 0; i < n; i++)
		packet_unref(written[i]);
	return n;
}

size_t queue_write(struct queue *queue, struct channel *channel)
{
	size_t bytes = 0;

	while (write_some(queue, channel, &bytes) == WRITE_MAX)
		;
	if (!queue_is_empty(queue))
		channel_wake(channel);
	return bytes;
}
