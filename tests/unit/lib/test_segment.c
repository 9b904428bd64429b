/*
 * segment: the segments of a super-frame are frames with good checksums and lengths, as the kernel
 * would have made them, and together they carry the same data.
 */
#include "lib/segment.h"

#include "lib/mem.h"
#include "tests/frames.h"

#include <criterion/criterion.h>

enum { CSUM = OFFLOAD_NEEDS_CHECKSUM, FRAME_MAX = 1514 };
enum { FIN = 0x01, PSH = 0x08, ACK = 0x10, CWR = 0x80 };

static uint8_t super[ETHERNET_FRAME_MAX];
static uint8_t frame[ETHERNET_FRAME_MAX];
static size_t super_len, frame_len;
static struct ethernet whole, part;

static void make(const struct frame_wish *wish)
{
	super_len = frame_make(super, wish);
	ethernet_parse(super, super_len, &whole);
	frame_leave_checksum(super, super_len);
}

static struct offload offload_for(uint8_t segments, uint16_t size)
{
	return (struct offload){ CSUM, segments, 0, size, (uint16_t)whole.transport,
		whole.protocol == IP_TCP ? 16 : 6 };
}

/* The next segment as a frame of its own in `frame`. */
static bool next(struct segmenter *segmenter)
{
	struct segment segment;

	if (!segment_next(segmenter, &segment))
		return false;
	memcpy(frame, segment.headers, segment.headers_len);
	memcpy(frame + segment.headers_len, segment.data, segment.len);
	frame_len = segment.headers_len + segment.len;
	ethernet_parse(frame, frame_len, &part);
	return true;
}

/* What each segment has to be; `offset` is that of its data. */
static void expect_part(const char *what, uint32_t n, uint32_t offset)
{
	const uint8_t *ip = frame + part.network;
	uint32_t payload = ethernet_payload(frame, &part);

	cr_assert_eq(part.version, whole.version, "%s", what);
	cr_assert_eq(part.end, frame_len, "%s: lengths of segment %u", what, n);
	cr_assert_eq(payload, ethernet_payload(super, &whole), "%s", what);
	cr_assert_eq(frame_transport_sum(frame, &part), 0xffff, "%s: checksum of %u", what, n);
	cr_assert_arr_eq(frame, super, part.network, "%s", what);
	cr_assert_arr_eq(frame + payload, super + payload + offset, frame_len - payload);
	if (part.version == 4) {
		cr_assert_eq(frame_sum(0, ip, part.transport - part.network), 0xffff, "%s", what);
		cr_assert_eq(bytes_be16(ip + 4), 0x1234 + n, "%s: IP id of segment %u", what, n);
	}
	if (part.protocol == IP_UDP)
		cr_assert_eq(bytes_be16(frame + part.transport + 4), part.end - part.transport);
	else
		cr_assert_eq(bytes_be32(frame + part.transport + 4), 0xfffff000 + offset);
}

static void expect_cut(const char *what, const struct frame_wish *wish, uint8_t segments,
	uint16_t size, uint32_t n_wanted)
{
	struct segmenter segmenter;
	struct offload offload;
	uint32_t n = 0, offset = 0;

	make(wish);
	offload = offload_for(segments, size);
	cr_assert(offload_fits(&offload, super, super_len), "%s", what);
	segment_begin(&segmenter, super, super_len, &offload, FRAME_MAX);
	for (; next(&segmenter); n++) {
		expect_part(what, n, offset);
		offset += (uint32_t)frame_len - ethernet_payload(frame, &part);
	}
	cr_assert_eq(n, n_wanted, "%s: %u segments", what, n);
	cr_assert_eq(offset, wish->payload, "%s", what);
}

Test(segment, cuts_every_kind)
{
	static const struct {
		const char *what;
		struct frame_wish wish;
		uint8_t segments;
		uint16_t size;
		uint32_t n;
	} rows[] = {
		{ "tcp", { 4, IP_TCP, .payload = 4000 }, OFFLOAD_TCP_IPV4, 1346, 3 },
		{ "tcp, odd sizes", { 4, IP_TCP, .payload = 4001 }, OFFLOAD_TCP_IPV4, 333, 13 },
		{ "tcp6", { 6, IP_TCP, .payload = 4000 }, OFFLOAD_TCP_IPV6, 1326, 4 },
		{ "the largest", { 4, IP_TCP, .payload = 65495 }, OFFLOAD_TCP_IPV4, 1448, 46 },
		{ "a tag and options",
			{ 4, IP_TCP, .tags = 1, .options = 8, .tcp_options = 12, .payload = 9000 },
			OFFLOAD_TCP_IPV4, 1000, 9 },
		{ "an extension header", { 6, IP_TCP, .options = 8, .payload = 5000 },
			OFFLOAD_TCP_IPV6, 1000, 5 },
		{ "exactly two", { 4, IP_TCP, .payload = 2000 }, OFFLOAD_TCP_IPV4, 1000, 2 },
		{ "one", { 4, IP_TCP, .payload = 10 }, OFFLOAD_TCP_IPV4, 1000, 1 },
		{ "no data", { 4, IP_TCP, .payload = 0 }, OFFLOAD_TCP_IPV4, 1000, 1 },
		{ "longer than the port takes", { 4, IP_TCP, .payload = 9000 }, OFFLOAD_TCP_IPV4,
			8960, 7 },
		{ "udp", { 4, IP_UDP, .payload = 4001 }, OFFLOAD_UDP, 1000, 5 },
		{ "udp6", { 6, IP_UDP, .tags = 2, .payload = 3000 }, OFFLOAD_UDP, 1200, 3 },
		{ "datagrams stay whole", { 4, IP_UDP, .payload = 8000 }, OFFLOAD_UDP, 4000, 2 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		expect_cut(rows[i].what, &rows[i].wish, rows[i].segments, rows[i].size, rows[i].n);
}

Test(segment, only_the_last_finishes_and_only_the_first_says_that_it_slowed_down)
{
	static const uint8_t want[] = { ACK | CWR, ACK, ACK | FIN | PSH };
	struct frame_wish wish = { 4, IP_TCP, .payload = 3000, .tcp_flags = ACK | CWR | FIN | PSH };
	struct segmenter segmenter;
	struct offload offload;

	make(&wish);
	offload = offload_for(OFFLOAD_TCP_IPV4 | OFFLOAD_ECN, 1000);
	segment_begin(&segmenter, super, super_len, &offload, FRAME_MAX);
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		cr_assert(next(&segmenter));
		cr_assert_eq(frame[whole.transport + 13], want[i], "segment %zu", i);
		cr_assert_eq(frame_transport_sum(frame, &part), 0xffff);
	}
	cr_assert(!next(&segmenter));
}

static void expect_completed(const char *what, const struct frame_wish *wish)
{
	struct offload offload;

	make(wish);
	offload = offload_for(OFFLOAD_NONE, 0);
	segment_complete(super, super_len, &offload);
	cr_expect_eq(frame_transport_sum(super, &whole), 0xffff, "%s", what);
	cr_expect(offload_is_plain(&offload) && offload.flags == 0, "%s", what);
}

Test(segment, completes_checksums)
{
	expect_completed("tcp", &(struct frame_wish){ 4, IP_TCP, .payload = 1001 });
	expect_completed("tcp6", &(struct frame_wish){ 6, IP_TCP, .tags = 1, .payload = 7 });
	expect_completed("udp", &(struct frame_wish){ 4, IP_UDP, .payload = 512 });
	expect_completed("udp6", &(struct frame_wish){ 6, IP_UDP, .options = 8, .payload = 0 });
}

Test(segment, completes_a_checksum_inside_of_a_tunnel)
{
	struct frame_wish inner = { 4, IP_TCP, .payload = 100 };
	uint8_t packet[ETHERNET_FRAME_MAX];
	size_t packet_len = frame_make(packet, &inner) - 14;
	struct offload offload = { CSUM, .checksum_start = 34 + 20, .checksum_offset = 16 };

	frame_leave_checksum(packet, packet_len + 14);
	super_len = frame_make(super, &(struct frame_wish){ 4, IP_IPV4, .payload = packet_len });
	memcpy(super + 34, packet + 14, packet_len);
	cr_assert(offload_fits(&offload, super, super_len));
	segment_complete(super, super_len, &offload);
	memcpy(packet + 14, super + 34, packet_len);
	ethernet_parse(packet, packet_len + 14, &part);
	cr_assert_eq(frame_transport_sum(packet, &part), 0xffff);
}

Test(segment, padding_is_not_summed)
{
	struct offload offload;

	make(&(struct frame_wish){ 4, IP_UDP, .payload = 4 });
	offload = offload_for(OFFLOAD_NONE, 0);
	memset(super + super_len, 0x77, 14);
	segment_complete(super, super_len + 14, &offload);
	cr_assert_eq(frame_transport_sum(super, &whole), 0xffff);
}

Test(segment, a_good_checksum_stays)
{
	struct offload offload = { .flags = OFFLOAD_CHECKED };
	uint8_t before[100];

	make(&(struct frame_wish){ 4, IP_UDP, .payload = 4 });
	memcpy(before, super, super_len);
	segment_complete(super, super_len, &offload);
	cr_assert_arr_eq(super, before, super_len);
}

Test(segment, without_the_first_the_others_are_as_they_were)
{
	static const struct {
		struct frame_wish wish;
		uint8_t segments;
		uint16_t size;
	} rows[] = {
		{ { 4, IP_TCP, .payload = 4001 }, OFFLOAD_TCP_IPV4, 1000 },
		{ { 4, IP_TCP, .tags = 1, .options = 8, .tcp_options = 12, .payload = 300 },
			OFFLOAD_TCP_IPV4, 20 },
		{ { 6, IP_TCP, .options = 8, .payload = 5000 }, OFFLOAD_TCP_IPV6, 1000 },
		{ { 4, IP_TCP, .payload = 2000 }, OFFLOAD_TCP_IPV4, 1000 },
		{ { 4, IP_UDP, .payload = 4001 }, OFFLOAD_UDP, 1000 },
		{ { 6, IP_UDP, .tags = 2, .payload = 3000 }, OFFLOAD_UDP, 1200 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		static uint8_t rest[ETHERNET_FRAME_MAX];
		struct offload left;
		struct segmenter all;
		size_t rest_len, dropped;
		uint32_t n = 1;

		make(&rows[i].wish);
		left = offload_for(rows[i].segments, rows[i].size);
		segment_begin(&all, super, super_len, &left, FRAME_MAX);
		cr_assert(next(&all)); /* the one that is dropped */
		memcpy(rest, super, super_len);
		rest_len = super_len;
		while ((dropped = segment_drop_first(rest, rest_len, &left)) > 0) {
			struct segment segment;
			struct segmenter others;

			cr_assert_eq(dropped, rows[i].size);
			rest_len -= dropped;
			memmove(rest, rest + dropped, rest_len);
			cr_assert(offload_fits(&left, rest, rest_len), "row %zu, %u", i, n);
			cr_assert(next(&all));
			if (left.segments == OFFLOAD_NONE) {
				segment_complete(rest, rest_len, &left);
				cr_assert_eq(rest_len, frame_len);
				cr_assert_arr_eq(rest, frame, frame_len, "row %zu, %u", i, n);
				break;
			}
			segment_begin(&others, rest, rest_len, &left, FRAME_MAX);
			cr_assert(segment_next(&others, &segment));
			cr_assert_arr_eq(
				segment.headers, frame, segment.headers_len, "row %zu, %u", i, n);
			cr_assert_arr_eq(segment.data, frame + segment.headers_len, segment.len);
			n++;
		}
		cr_assert_not(next(&all), "row %zu", i);
	}
}
