/* offload: which virtio headers fit which frames. */
#include "lib/offload.h"

#include "lib/mem.h"
#include "tests/frames.h"

#include <criterion/criterion.h>

enum { CSUM = OFFLOAD_NEEDS_CHECKSUM };

static uint8_t frame[ETHERNET_FRAME_MAX];

struct row {
	const char *what;
	struct frame_wish wish;
	struct offload offload;
	bool fits;
};

#define TCP4                                                                                       \
	{                                                                                          \
		4, IP_TCP, .payload = 4000                                                         \
	}
#define TCP6                                                                                       \
	{                                                                                          \
		6, IP_TCP, .payload = 4000                                                         \
	}
#define UDP4                                                                                       \
	{                                                                                          \
		4, IP_UDP, .payload = 4000                                                         \
	}
#define UDP6                                                                                       \
	{                                                                                          \
		6, IP_UDP, .payload = 4000                                                         \
	}
#define VLAN                                                                                       \
	{                                                                                          \
		4, IP_TCP, .tags = 1, .payload = 4000                                              \
	}

static const struct row rows[] = {
	{ "nothing to do", TCP4, { 0 }, true },
	{ "checked", TCP4, { .flags = OFFLOAD_CHECKED, .header_len = 54 }, true },
	{ "a hint up to the end", TCP4, { .header_len = 4054 }, true },
	{ "a hint past the end", TCP4, { .header_len = 4055 }, false },
	{ "a flag of receive coalescing", TCP4, { .flags = 4 }, false },
	{ "the highest flag", TCP4, { .flags = 0x80 }, false },

	{ "TCP's checksum", TCP4, { CSUM, 0, 54, 0, 34, 16 }, true },
	{ "TCP's over IPv6", TCP6, { CSUM, 0, 74, 0, 54, 16 }, true },
	{ "TCP's behind a tag", VLAN, { CSUM, 0, 58, 0, 38, 16 }, true },
	{ "UDP's checksum", UDP4, { CSUM, 0, 42, 0, 34, 6 }, true },
	{ "UDP's of IPv6", UDP6, { CSUM, 0, 62, 0, 54, 6 }, true },
	{ "UDP's behind an extension header", { 6, IP_UDP, .options = 8 },
		{ CSUM, 0, 70, 0, 62, 6 }, true },
	{ "TCP's at UDP's place", TCP4, { CSUM, 0, 0, 0, 34, 6 }, false },
	{ "UDP's at TCP's place", UDP4, { CSUM, 0, 0, 0, 34, 16 }, false },
	{ "over UDP's destination port", UDP4, { CSUM, 0, 0, 0, 34, 2 }, false },
	{ "that begins in the IP header", TCP4, { CSUM, 0, 0, 0, 14, 16 }, false },
	{ "that begins in the Ethernet header", TCP4, { CSUM, 0, 0, 0, 0, 6 }, false },
	{ "further in, of TCP", TCP4, { CSUM, 0, 0, 0, 60, 16 }, false },
	{ "of ICMP, which neighbours are found by", { 6, IP_ICMPV6, .payload = 100 },
		{ CSUM, 0, 0, 0, 54, 6 }, false },
	{ "that begins at the end", TCP4, { CSUM, 0, 0, 0, 4054, 16 }, false },
	{ "that begins past any end", TCP4, { CSUM, 0, 0, 0, 0xffff, 0xffff }, false },
	{ "of a fragment", { 4, IP_UDP, .fragment = 0x2000, .payload = 8 },
		{ CSUM, 0, 0, 0, 34, 6 }, false },
	{ "of a tunnel in UDP", UDP4, { CSUM, 0, 0, 0, 92, 16 }, true },
	{ "over a tunnel's own UDP header", UDP4, { CSUM, 0, 0, 0, 36, 6 }, false },
	{ "of a tunnel in GRE", { 4, IP_GRE, .payload = 80 }, { CSUM, 0, 0, 0, 58, 16 }, true },
	{ "of a tunnel in IP", { 4, IP_IPV4, .payload = 80 }, { CSUM, 0, 0, 0, 54, 6 }, true },
	{ "of a tunnel, past its end", { 4, IP_GRE, .payload = 30 }, { CSUM, 0, 0, 0, 58, 16 },
		false },
	{ "of a tunnel, anywhere", UDP4, { CSUM, 0, 0, 0, 92, 10 }, false },

	{ "TCP in IPv4", TCP4, { CSUM, 1, 54, 1346, 34, 16 }, true },
	{ "TCP in IPv6", TCP6, { CSUM, 4, 74, 1326, 54, 16 }, true },
	{ "TCP in IPv4 with ECN", TCP4, { CSUM, 0x81, 54, 1346, 34, 16 }, true },
	{ "TCP in IPv6 with ECN", TCP6, { CSUM, 0x84, 74, 1326, 54, 16 }, true },
	{ "TCP behind a tag, the hint without it", VLAN, { CSUM, 1, 54, 1346, 38, 16 }, true },
	{ "UDP", UDP4, { CSUM, 5, 42, 1000, 34, 6 }, true },
	{ "UDP in IPv6", UDP6, { CSUM, 5, 62, 1000, 54, 6 }, true },
	{ "one segment", TCP4, { CSUM, 1, 54, 5000, 34, 16 }, true },
	{ "no hint", TCP4, { CSUM, 1, 0, 1346, 34, 16 }, true },
	{ "with options", { 4, IP_TCP, .options = 8, .tcp_options = 12, .payload = 4000 },
		{ CSUM, 1, 74, 1346, 42, 16 }, true },
	{ "headers of 250 bytes", { 6, IP_TCP, .options = 176, .payload = 4000 },
		{ CSUM, 4, 250, 1346, 230, 16 }, true },
	{ "headers of 258 bytes", { 6, IP_TCP, .options = 184, .payload = 4000 },
		{ CSUM, 4, 258, 1346, 238, 16 }, false },
	{ "a segment of nothing", TCP4, { CSUM, 1, 54, 0, 34, 16 }, false },
	{ "4000 segments", TCP4, { CSUM, 1, 54, 1, 34, 16 }, false },
	{ "2001 segments", TCP4, { CSUM, 1, 54, 2, 34, 16 }, true },
	{ "without a checksum", TCP4, { 0, 1, 54, 1346, 34, 16 }, false },
	{ "another checksum", TCP4, { CSUM, 1, 54, 1346, 33, 16 }, false },
	{ "IPv6 that is IPv4", TCP4, { CSUM, 4, 54, 1346, 34, 16 }, false },
	{ "IPv4 that is IPv6", TCP6, { CSUM, 1, 74, 1346, 54, 16 }, false },
	{ "TCP that is UDP", UDP4, { CSUM, 1, 42, 1000, 34, 16 }, false },
	{ "UDP that is TCP", TCP4, { CSUM, 5, 54, 1000, 34, 6 }, false },
	{ "UDP with ECN", UDP4, { CSUM, 0x85, 42, 1000, 34, 6 }, false },
	{ "fragments of UDP, an old kind", UDP4, { CSUM, 3, 42, 1000, 34, 6 }, false },
	{ "a tunnel's kind", UDP4, { CSUM, 0x25, 42, 1000, 34, 6 }, false },
	{ "segments of a fragment", { 4, IP_TCP, .fragment = 0x2000, .payload = 4000 },
		{ CSUM, 1, 54, 1346, 34, 16 }, false },
};

Test(offload, fits_or_not)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t len = frame_make(frame, &rows[i].wish);

		cr_expect_eq(offload_fits(&rows[i].offload, frame, len), rows[i].fits, "%s",
			rows[i].what);
	}
}

Test(offload, segments_end_where_the_frame_ends)
{
	static const struct offload tcp = { CSUM, OFFLOAD_TCP_IPV4, 54, 1346, 34, 16 };
	static const struct offload udp = { CSUM, OFFLOAD_UDP, 42, 1000, 34, 6 };
	size_t len = frame_make(frame, &(struct frame_wish)TCP4);

	cr_expect(!offload_fits(&tcp, frame, len + 1));
	len = frame_make(frame, &(struct frame_wish)UDP4);
	bytes_put_be16(frame + 38, 4007);
	cr_expect(!offload_fits(&udp, frame, len), "a shorter length in UDP's header");
}

/* Whatever is cut: no read past the end, and no checksum outside of the frame. */
Test(offload, a_cut_frame_is_judged_by_what_is_there)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t len = frame_make(frame, &rows[i].wish);
		const struct offload *offload = &rows[i].offload;

		for (size_t cut = 14; cut < len && cut < 200; cut++) {
			AUTO_FREE uint8_t *copy = xmalloc(cut);

			memcpy(copy, frame, cut);
			cr_expect(offload_is_plain(offload) || !offload_fits(offload, copy, cut),
				"%s, %zu bytes", rows[i].what, cut);
		}
	}
}

Test(offload, is_as_a_tap_has_it)
{
	static const uint8_t bytes[OFFLOAD_LEN] = { 1, 0x81, 0x36, 0, 0x42, 5, 0x22, 1, 0x10, 0 };
	uint8_t again[OFFLOAD_LEN];
	struct offload offload;

	offload_read(&offload, bytes);
	cr_expect_eq(offload.flags, OFFLOAD_NEEDS_CHECKSUM);
	cr_expect_eq(offload.segments, OFFLOAD_TCP_IPV4 | OFFLOAD_ECN);
	cr_expect_eq(offload.header_len, 54);
	cr_expect_eq(offload.segment_size, 1346);
	cr_expect_eq(offload.checksum_start, 0x122);
	cr_expect_eq(offload.checksum_offset, 16);
	offload_write(&offload, again);
	cr_expect_arr_eq(again, bytes, OFFLOAD_LEN);
}
