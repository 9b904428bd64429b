/* packet: memory of its own, and in blocks that are not held without bound. */
#include "lib/frames/packet.h"

#include "lib/frames/block.h"
#include "lib/mem.h"

#include <criterion/criterion.h>
#include <string.h>

Test(packet, has_room_for_what_was_asked_and_is_used_again)
{
	const size_t sizes[] = { 0, 1, 176, 177, 1514, 2000, 2001, 65535, PACKET_MAX };

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct packet *first = packet_new(sizes[i]);
		struct packet *again;

		cr_assert_geq(first->capacity, sizes[i]);
		cr_assert_eq(first->data - first->memory, PACKET_HEADROOM);
		first->final = false;
		first->kind = PACKET_TEXT;
		packet_unref(first);
		again = packet_new(sizes[i]);
		cr_assert_eq(again, first);
		cr_assert(again->final);
		cr_assert_eq(again->kind, PACKET_BINARY);
		cr_assert_eq(again->refs, 1);
		packet_unref(again);
	}
	packet_trim();
}

Test(packet, holds_the_block_that_it_lies_in)
{
	struct block *block = block_new();
	struct packet *packet = packet_in(block, block->data + 100, 1000);
	size_t cost = packet_cost(packet);

	block_unref(block);
	cr_assert_eq(block_count(), 1);
	cr_assert_eq(packet->data, block->data + 100);
	cr_assert_eq(packet->len, 1000);
	cr_assert(cost > 1000 && cost < 1200, "what it keeps others from using is not counted");
	packet_ref(packet);
	packet_unref(packet);
	cr_assert_eq(block_count(), 1);
	packet_unref(packet);
	cr_assert_eq(block_count(), 0);
	block_trim();
	packet_trim();
}

/* A byte that waits in each of many blocks would hold them all. */
Test(packet, is_copied_when_many_blocks_are_held)
{
	enum { N = 500 };
	static struct packet *packets[N];

	for (int i = 0; i < N; i++) {
		struct block *block = block_new();

		memset(block->data, i, 100);
		packets[i] = packet_in(block, block->data + 50, 20);
		block_unref(block);
	}
	cr_expect(block_count() < 70, "%u blocks", block_count());
	for (int i = 0; i < N; i++) {
		cr_assert_eq(packets[i]->len, 20);
		cr_assert_eq(packets[i]->data[-L2_HEADER_LEN], (uint8_t)i);
		cr_assert_eq(packets[i]->data[19], (uint8_t)i);
		packet_unref(packets[i]);
	}
	cr_expect_eq(block_count(), 0);
	block_trim();
	packet_trim();
}
