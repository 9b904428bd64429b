/*
 * outlet: what is written to a channel: batches that an intake reads back, single frames that need
 * nothing more done, in the order of turns, and no more than there is room for.
 */
#include "dataplane/switch/outlet.h"

#include "lib/l2.h"
#include "lib/mem.h"
#include "tests/frames.h"
#include "tests/unit/dataplane/fake_channel.h"

static struct fake fake;
static struct outlet outlet;

static void on_fill(struct channel *channel)
{
	outlet_write(&outlet, channel, 1000);
}

static void init(bool batches)
{
	static const struct channel_face face = { .fill = on_fill };

	fake_init(&fake, "outlet");
	fake.channel.face = &face;
	outlet_init(&outlet, batches);
}

static void finish(void)
{
	outlet_finish(&outlet);
	fake_forget_sent(&fake);
	fair_trim();
	packet_trim();
}

TestSuite(outlet, .fini = finish);

static struct packet *make(const struct frame_wish *wish)
{
	static uint8_t frame[ETHERNET_FRAME_MAX];
	size_t len = frame_make(frame, wish);
	struct packet *packet = packet_new(len);

	memcpy(packet->data, frame, len);
	packet->len = (uint32_t)len;
	return packet;
}

static void push(struct packet *packet)
{
	outlet_push(&outlet, packet, 0);
	packet_unref(packet);
	fake.woken = true;
}

/* Reads the next frame of the messages that were sent. */
static bool next_sent(struct l2_frame *frame)
{
	static struct l2_reader reader;
	static size_t message;

	if (!frame) {
		message = 0;
		reader = (struct l2_reader){ 0 };
		return true;
	}
	while (l2_next(&reader, frame) != L2_FRAME) {
		if (message == fake.n_sent)
			return false;
		cr_assert(fake.sent[message].fin && fake.sent[message].opcode == WS_BINARY);
		l2_reader_init(&reader, fake.sent[message].data, fake.sent[message].len);
		message++;
	}
	return true;
}

Test(outlet, writes_batches)
{
	struct l2_frame frame;

	init(true);
	for (size_t i = 0; i < 200; i++)
		push(make(&(struct frame_wish){ 4, IP_UDP, .payload = 10 * i }));
	fake_turn(&fake);
	cr_expect_lt(fake.n_sent, 10, "%zu messages for 200 frames", fake.n_sent);
	next_sent(NULL);
	for (size_t i = 0; i < 200; i++) {
		cr_assert(next_sent(&frame), "frame %zu", i);
		cr_assert_eq(frame.len, 42 + 10 * i);
	}
	cr_assert(!next_sent(&frame));
	cr_expect_eq(outlet.n_frames, 200);
	cr_expect(outlet_is_empty(&outlet));
	cr_expect(!fake.woken);
}

Test(outlet, super_frames_stay_whole_in_batches_and_no_message_is_too_long)
{
	struct frame_wish wish = { 4, IP_TCP, .payload = 65000 };
	struct l2_frame frame;
	size_t n = 0;

	init(true);
	for (size_t i = 0; i < 10; i++) {
		struct packet *packet = make(&wish);

		packet->offload = (struct offload){ 1, OFFLOAD_TCP_IPV4, 54, 1346, 34, 16 };
		push(packet);
	}
	fake_turn(&fake);
	for (size_t i = 0; i < fake.n_sent; i++)
		cr_expect(fake.sent[i].len <= L2_MESSAGE_MAX);
	for (next_sent(NULL); next_sent(&frame); n++)
		cr_expect_eq(frame.offload.segment_size, 1346);
	cr_expect_eq(n, 10);
}

/* Frames that lie one behind the other are one part, which is sent from there. */
Test(outlet, a_batch_that_goes_to_one_port_is_the_same_bytes)
{
	struct block *block = block_new();
	uint8_t *at = block->data;
	struct offload none = { 0 };

	init(true);
	for (uint8_t i = 0; i < 100; i++) {
		struct packet *packet;

		l2_write_header(at, &none, 100);
		memset(at + L2_HEADER_LEN, i, 100);
		packet = packet_in(block, at + L2_HEADER_LEN, 100);
		outlet_push(&outlet, packet, 0);
		packet_unref(packet);
		at += L2_HEADER_LEN + 100;
	}
	block_unref(block);
	fake.woken = true;
	fake_turn(&fake);
	cr_assert_eq(fake.n_sent, 1);
	cr_assert_eq(fake.sent[0].len, 100 * (L2_HEADER_LEN + 100));
	cr_assert_eq(memcmp(fake.sent[0].data, block->data, fake.sent[0].len), 0);
	cr_assert_eq(block_count(), 0);
	block_trim();
}

static void expect_plain(size_t i, size_t len)
{
	struct ethernet at;

	cr_assert_eq(fake.sent[i].opcode, WS_BINARY);
	cr_assert(fake.sent[i].fin);
	cr_assert_eq(fake.sent[i].len, len, "%zu bytes", fake.sent[i].len);
	ethernet_parse(fake.sent[i].data, len, &at);
	cr_assert_eq(frame_transport_sum(fake.sent[i].data, &at), 0xffff);
}

Test(outlet, cuts_for_ports_without_offload)
{
	struct packet *packet = make(&(struct frame_wish){ 4, IP_TCP, .payload = 4000 });

	init(false);
	frame_leave_checksum(packet->data, packet->len);
	packet->offload = (struct offload){ 1, OFFLOAD_TCP_IPV4, 54, 1346, 34, 16 };
	push(packet);
	fake_turn(&fake);
	cr_assert_eq(fake.n_sent, 3);
	expect_plain(0, 54 + 1346);
	expect_plain(1, 54 + 1346);
	expect_plain(2, 54 + 4000 - 2 * 1346);
	cr_expect_eq(outlet.n_frames, 3);
	cr_expect(outlet_is_empty(&outlet));
}

Test(outlet, goes_on_cutting_where_there_was_no_more_room)
{
	struct packet *packet = make(&(struct frame_wish){ 4, IP_TCP, .payload = 4000 });

	init(false);
	frame_leave_checksum(packet->data, packet->len);
	packet->offload = (struct offload){ 1, OFFLOAD_TCP_IPV4, 54, 1346, 34, 16 };
	push(packet);
	for (size_t i = 1; i <= 3; i++) {
		fake.room = 1;
		cr_assert(fake.woken);
		fake_turn(&fake);
		cr_assert_eq(fake.n_sent, i, "%zu", fake.n_sent);
	}
	expect_plain(2, 54 + 4000 - 2 * 1346);
	fake.room = 1;
	fake_turn(&fake);
	cr_expect_eq(fake.n_sent, 3);
	cr_expect(outlet_is_empty(&outlet));
}

/* One packet for both: whoever is written first, each gets what fits its header. */
Test(outlet, completes_checksums_for_all_receivers)
{
	struct packet *packet = make(&(struct frame_wish){ 6, IP_UDP, .payload = 100 });
	struct outlet other;
	struct l2_frame frame;

	init(false);
	outlet_init(&other, true);
	frame_leave_checksum(packet->data, packet->len);
	packet->offload = (struct offload){ 1, OFFLOAD_NONE, 62, 0, 54, 6 };
	outlet_push(&other, packet, 0);
	push(packet);
	fake_turn(&fake);
	cr_assert_eq(fake.n_sent, 1);
	expect_plain(0, 162);

	fake_forget_sent(&fake);
	outlet_finish(&outlet);
	outlet = other;
	fake.woken = true;
	fake_turn(&fake);
	next_sent(NULL);
	cr_assert(next_sent(&frame));
	cr_expect(offload_is_plain(&frame.offload));
	cr_expect_eq(frame.len, 162);
}

Test(outlet, lowers_the_segment_size_that_old_clients_are_offered)
{
	struct packet *packet = make(
		&(struct frame_wish){ 4, IP_TCP, .tcp_options = 4, .tcp_flags = 2, .payload = 0 });

	init(false);
	memcpy(packet->data + 54, "\x02\x04\x05\xb4", 4);
	bytes_put_be16(packet->data + 50, 0);
	push(packet);
	fake_turn(&fake);
	cr_assert_eq(bytes_be16(fake.sent[0].data + 56), 1446);
}

Test(outlet, waits_while_there_is_no_room)
{
	init(true);
	fake.full = true;
	for (int i = 0; i < 3000; i++)
		push(make(&(struct frame_wish){ 4, IP_UDP, .payload = 1000 }));
	fake_turn(&fake);
	cr_expect_eq(fake.n_sent, 0);
	cr_expect(fake.woken, "it asks for more");
	cr_expect(outlet.fair.bytes <= FAIR_BYTES_MAX);
	fake.full = false;
	fake_turn(&fake);
	cr_expect(fake.n_sent > 0);
}
