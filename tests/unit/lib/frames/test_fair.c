/*
 * fair: order, turns, what is dropped and when, and the bound in memory; in a time of the test's
 * own.
 */
#include "lib/frames/fair.h"

#include "lib/mem.h"
#include "tests/frames.h"

#include <criterion/criterion.h>

enum { MS = 1000, LONG = 100000 };

static struct fair fair;
static uint64_t now;

static void init(void)
{
	fair_init(&fair, FAIR_BYTES_MAX);
	now = 1000000;
}

static void finish(void)
{
	fair_finish(&fair);
	cr_expect_eq(fair.n, 0);
	cr_expect_eq(fair.bytes, 0);
	cr_expect_null(fair.flows);
	fair_trim();
	packet_trim();
}

TestSuite(fair, .init = init, .fini = finish);

/* The first byte numbers it. */
static void push(uint32_t flow, size_t len, uint8_t number)
{
	struct packet *packet = packet_new(len);

	packet->len = (uint32_t)len;
	packet->flow = flow;
	packet->data[0] = number;
	fair_push(&fair, packet, now);
	packet_unref(packet);
}

/* Takes one out and tells its flow and length; false: there is none. */
static bool pop(uint32_t *flow, uint32_t *len, uint8_t *number)
{
	struct packet *packet = fair_pop(&fair, now);

	if (!packet)
		return false;
	*flow = packet->flow;
	*len = packet->len;
	*number = packet->data[0];
	packet_unref(packet);
	return true;
}

static uint32_t pop_flow(void)
{
	uint32_t flow, len;
	uint8_t number;

	return pop(&flow, &len, &number) ? flow : UINT32_MAX;
}

Test(fair, a_flow_keeps_its_order)
{
	uint32_t flow, len;
	uint8_t number;

	for (uint8_t i = 0; i < 200; i++)
		push(7, 100 + i, i);
	for (uint8_t i = 0; i < 200; i++) {
		cr_assert(pop(&flow, &len, &number));
		cr_assert_eq(number, i);
	}
	cr_assert(!pop(&flow, &len, &number));
	cr_assert_null(fair.flows, "it holds no memory");
}

Test(fair, who_sends_little_goes_first)
{
	for (int i = 0; i < 50; i++)
		push(1, 1400, 0);
	for (int i = 0; i < 10; i++)
		cr_assert_eq(pop_flow(), 1);
	push(2, 100, 0);
	cr_assert_eq(pop_flow(), 2);
	push(2, 100, 0);
	cr_assert_neq(pop_flow(), UINT32_MAX);
}

Test(fair, super_frames_do_not_take_more_than_their_turn)
{
	uint32_t flow, len;
	uint8_t number;
	uint64_t sums[4] = { 0 };

	for (int i = 0; i < 6; i++)
		push(1, 65000, 0);
	for (int i = 0; i < 250; i++) {
		push(2, 1400, 0);
		push(3, 200, 0);
	}
	/* While all three have something. */
	for (int i = 0; i < 150 && pop(&flow, &len, &number); i++)
		sums[flow] += len;
	cr_expect(sums[1] <= 2 * 65000 + sums[2], "%lu and %lu", sums[1], sums[2]);
	cr_expect(sums[2] >= 10 * 1400);
	cr_expect(sums[3] >= 10 * 1400);
}

Test(fair, the_longest_queue_pays_when_it_is_full)
{
	uint32_t flow, len, n = 0;
	uint8_t number;

	push(2, 1000, 42);
	for (int i = 0; i < 3000; i++)
		push(1, 1400, 0);
	cr_expect(fair.bytes <= FAIR_BYTES_MAX);
	cr_expect(fair.dropped_full > 1000);
	cr_expect_eq(fair.n + fair.dropped_full, 3001);
	while (pop(&flow, &len, &number))
		n += flow == 2 && number == 42;
	cr_expect_eq(n, 1);
}

/* So much in this time of one flow, at an even rate and with nothing that waits. */
static void pass(size_t bytes, int ms)
{
	enum { SIZE = 60000 };
	uint64_t begin = now;

	for (size_t sent = 0; sent < bytes; sent += SIZE) {
		push(1, SIZE, 0);
		cr_assert_eq(pop_flow(), 1);
		now = begin + (uint64_t)ms * MS * sent / bytes;
	}
	now = begin + (uint64_t)ms * MS;
}

static void burst(size_t bytes)
{
	for (size_t sent = 0; sent < bytes; sent += 60000)
		push(1, 60000, 0);
}

Test(fair, as_much_may_wait_as_left_lately)
{
	const size_t most = FAIR_GROWTH * FAIR_BYTES_MAX;

	pass(2 * FAIR_BYTES_MAX, 800);
	burst(FAIR_BYTES_MAX * 3 / 2);
	cr_expect_eq(fair.dropped_full, 0);
	burst(FAIR_BYTES_MAX);
	cr_expect(fair.dropped_full > 0 && fair.bytes <= FAIR_BYTES_MAX * 5 / 2);
	while (pop_flow() == 1)
		;
	pass(20 * FAIR_BYTES_MAX, 1500);
	fair.dropped_full = 0;
	burst(most - FAIR_BYTES_MAX);
	cr_expect_eq(fair.dropped_full, 0);
	burst(2 * FAIR_BYTES_MAX);
	cr_expect(fair.dropped_full > 0 && fair.bytes <= most);
}

Test(fair, who_takes_nothing_any_more_keeps_little)
{
	pass(20 * FAIR_BYTES_MAX, 1500);
	burst(3 * FAIR_BYTES_MAX);
	cr_expect_eq(fair.dropped_full, 0);
	now += 1200 * MS;
	push(1, 1400, 0);
	cr_expect_eq(fair.dropped_full, 0, "a pause is no end");
	now += 1200 * MS;
	push(1, 1400, 0);
	cr_expect(fair.bytes <= FAIR_BYTES_MAX, "%zu bytes", fair.bytes);
}

Test(fair, tiny_frames_count_with_what_they_hold)
{
	size_t cost;

	push(1, 14, 0);
	cost = fair.bytes;
	cr_assert(cost > 100);
	for (size_t i = 0; i < 2 * FAIR_BYTES_MAX / cost; i++)
		push((uint32_t)i, 14, 0);
	cr_assert(fair.n <= FAIR_BYTES_MAX / cost);
}

Test(fair, a_packet_larger_than_the_queue_is_dropped)
{
	fair_init(&fair, 30000);
	push(1, 65000, 0);
	cr_assert_eq(fair.n, 0);
	cr_assert_eq(fair.dropped_full, 1);
	cr_assert_eq(pop_flow(), UINT32_MAX);
}

/* A queue of 100 packets into which goes as much as comes out. */
static uint64_t stand(int ms, uint64_t each_ms)
{
	for (int i = 0; i < ms; i++, now += MS) {
		if (i % (int)each_ms == 0)
			push(1, 1400, 0);
		if (i % (int)each_ms == 0)
			pop_flow();
	}
	return fair.dropped_late;
}

Test(fair, a_standing_queue_is_thinned_out_ever_faster)
{
	uint64_t first, second;

	for (int i = 0; i < 400; i++)
		push(1, 1400, 0);
	cr_expect_eq(stand(100, 1), 0, "not yet");
	first = stand(500, 1);
	second = stand(500, 1) - first;
	cr_expect(first > 0 && second > first, "%lu, then %lu", first, second);
}

Test(fair, a_queue_that_drains_in_time_loses_nothing)
{
	for (int i = 0; i < 400; i++)
		push(1, 1400, 0);
	for (; fair.n > 0; now += MS / 4)
		pop_flow();
	cr_expect_eq(fair.dropped_late, 0);
	cr_expect_eq(fair.dropped_full, 0);
}

Test(fair, one_super_frame_is_no_queue)
{
	for (int i = 0; i < 1000; i++, now += 10 * MS) {
		push(1, 60000, 0);
		if (fair.n > 1)
			cr_assert_eq(pop_flow(), 1);
	}
	cr_expect(fair.dropped_late > 0, "two that stand are one");
	fair_finish(&fair);
	init();
	for (int i = 0; i < 1000; i++, now += 200 * MS) {
		push(1, 60000, 0);
		now += 50 * MS;
		cr_assert_eq(pop_flow(), 1);
	}
	cr_expect_eq(fair.dropped_late, 0);
}

/* What is left of the first super-frame that has waited for too long; others may have a part in it.
 */
static struct packet *pop_late_super_frame(struct packet **packets, size_t n, bool shared)
{
	struct frame_wish wish = { 4, IP_TCP, .payload = 40000 };

	for (size_t i = 0; i < n; i++) {
		struct packet *packet = packets[i] = packet_new(PACKET_MAX);

		packet->len = (uint32_t)frame_make(packet->data, &wish);
		frame_leave_checksum(packet->data, packet->len);
		packet->offload = (struct offload){ OFFLOAD_NEEDS_CHECKSUM, OFFLOAD_TCP_IPV4, 0,
			1000, ETHERNET_HEADER_LEN + 20, 16 };
		fair_push(&fair, packet, now);
		if (!shared)
			packet_unref(packet);
	}
	now += 10 * MS;
	packet_unref(fair_pop(&fair, now)); /* from now on they wait for too long */
	now += 2 * LONG;
	return fair_pop(&fair, now);
}

Test(fair, a_late_super_frame_loses_a_segment)
{
	struct packet *packets[3], *popped = pop_late_super_frame(packets, 3, false);

	cr_assert_eq(popped, packets[1]);
	cr_assert_eq(popped->len, 40054 - 1000);
	cr_assert(offload_fits(&popped->offload, popped->data, popped->len));
	cr_assert_eq(fair.dropped_segments, 1);
	cr_assert_eq(fair.dropped_late, 0, "the frame itself arrives");
	packet_unref(popped);
	packet_unref(fair_pop(&fair, now));
}

Test(fair, one_that_others_have_a_part_in_is_lost_whole)
{
	struct packet *packets[3], *popped = pop_late_super_frame(packets, 3, true);

	cr_assert_eq(popped, packets[2]);
	cr_assert_eq(popped->len, 40054);
	cr_assert_eq(packets[1]->len, 40054);
	cr_assert_eq(fair.dropped_late, 1);
	cr_assert_eq(fair.dropped_segments, 0);
	packet_unref(popped);
	for (size_t i = 0; i < 3; i++)
		packet_unref(packets[i]);
}

Test(fair, what_waits_is_given_back)
{
	struct packet *packet = packet_new(100);

	packet->len = 100;
	for (uint32_t flow = 0; flow < 300; flow++) {
		packet->flow = flow;
		fair_push(&fair, packet, now);
	}
	cr_assert_eq(packet->refs, 301);
	fair_finish(&fair);
	cr_assert_eq(packet->refs, 1);
	packet_unref(packet);
}

/* Random pushes, pops and time: nothing is lost but what is counted, and the bound holds. */
Test(fair, adds_up)
{
	uint64_t pushed = 0, popped = 0;
	uint32_t random = 1;

	for (int i = 0; i < LONG; i++) {
		random = random * 1664525 + 1013904223;
		now += random >> 20;
		if ((random >> 8) % 100 < 52) {
			push(random >> 28, 14 + (random >> 10) % 3000, 0);
			pushed++;
		} else if (pop_flow() != UINT32_MAX) {
			popped++;
		}
		cr_assert(fair.bytes <= FAIR_BYTES_MAX);
	}
	cr_expect_eq(pushed, popped + fair.n + fair.dropped_full + fair.dropped_late);
	while (pop_flow() != UINT32_MAX)
		;
	cr_expect_eq(fair.n, 0);
}
