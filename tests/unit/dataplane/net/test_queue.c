/*
 * queue: order, the bound in bytes of memory, and who holds a packet.
 */
#include "dataplane/net/queue.h"

#include <criterion/criterion.h>

static struct packet *numbered(uint32_t number)
{
	struct packet *packet = packet_new(100);

	packet->len = number;
	return packet;
}

static void push_numbered(struct queue *queue, uint32_t number)
{
	struct packet *packet = numbered(number);

	cr_assert(queue_push(queue, packet));
	packet_unref(packet);
}

Test(queue, keeps_the_order_while_it_grows_and_turns)
{
	struct queue queue;
	uint32_t in = 0, out = 0;

	queue_init(&queue, QUEUE_BYTES_MAX);
	for (int round = 0; round < 40; round++) {
		for (int i = 0; i < 37; i++)
			push_numbered(&queue, in++);
		for (int i = 0; i < 20; i++) {
			struct packet *packet = queue_pop(&queue);

			cr_assert_eq(packet->len, out++);
			packet_unref(packet);
		}
	}
	cr_assert_eq(queue.n, in - out);
	cr_assert_eq(queue_peek(&queue)->len, out);
	queue_finish(&queue);
	packet_trim();
}

Test(queue, is_bounded_in_memory_not_in_payload)
{
	struct packet *packet = packet_new(1);
	size_t cost = packet_cost(packet);
	size_t n = 0;
	struct queue queue;

	queue_init(&queue, 10 * cost + 1);
	while (queue_push(&queue, packet))
		n++;
	cr_assert_eq(n, 10);
	cr_assert_eq(queue.bytes, 10 * cost);
	cr_assert_eq(packet->refs, 11);
	queue_finish(&queue);
	cr_assert_eq(packet->refs, 1);
	packet_unref(packet);
	packet_trim();
}

Test(queue, is_empty_at_first_and_again)
{
	struct queue queue;

	queue_init(&queue, QUEUE_BYTES_MAX);
	cr_assert(queue_is_empty(&queue));
	cr_assert_null(queue_peek(&queue));
	cr_assert_null(queue_pop(&queue));
	for (uint32_t i = 0; i < 2000; i++)
		push_numbered(&queue, i);
	cr_assert_not(queue_is_empty(&queue));
	while (!queue_is_empty(&queue))
		packet_unref(queue_pop(&queue));
	cr_assert_eq(queue.bytes, 0);
	cr_assert_null(queue_pop(&queue));
	push_numbered(&queue, 7);
	cr_assert_eq(queue_peek(&queue)->len, 7);
	queue_finish(&queue);
	packet_trim();
}
