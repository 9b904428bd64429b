/* mss: which SYNs are changed, and that their checksums stay good. */
#include "lib/frames/mss.h"

#include "lib/mem.h"
#include "tests/frames.h"

#include <criterion/criterion.h>

enum { SYN = 0x02, ACK = 0x10 };

static uint8_t frame[2000];

struct row {
	const char *what;
	int version;
	uint8_t flags;
	uint8_t options[16]; /* TCP's */
	size_t at;	     /* of the two bytes of the value */
	uint16_t want;
};

static const struct row rows[] = {
	{ "a SYN", 4, SYN, { 2, 4, 0x05, 0xb4, 1, 1, 1, 0 }, 2, 1446 },
	{ "a SYN and ACK", 4, SYN | ACK, { 2, 4, 0x05, 0xb4 }, 2, 1446 },
	{ "over IPv6", 6, SYN, { 2, 4, 0x05, 0xa0 }, 2, 1426 },
	{ "jumbo frames", 4, SYN, { 2, 4, 0x23, 0x00 }, 2, 1446 },
	{ "behind another option", 4, SYN, { 4, 2, 2, 4, 0x05, 0xb4 }, 4, 1446 },
	{ "at an odd place", 4, SYN, { 1, 2, 4, 0x05, 0xb4 }, 3, 1446 },
	{ "at an odd place of IPv6", 6, SYN, { 3, 3, 7, 2, 4, 0x05, 0xb4 }, 5, 1426 },
	{ "small enough", 4, SYN, { 2, 4, 0x05, 0xa6 }, 2, 1446 },
	{ "smaller", 4, SYN, { 2, 4, 0x02, 0x18 }, 2, 536 },
	{ "no SYN", 4, ACK, { 2, 4, 0x05, 0xb4 }, 2, 1460 },
	{ "behind the end of the options", 4, SYN, { 0, 2, 4, 0x05, 0xb4 }, 3, 1460 },
	{ "an option without a length", 4, SYN, { 9, 0, 2, 4, 0x05, 0xb4 }, 4, 1460 },
	{ "an option past the end", 4, SYN, { 9, 15, 2, 4, 0x05, 0xb4 }, 4, 1460 },
	{ "another length", 4, SYN, { 2, 3, 0x05, 0xb4 }, 2, 1460 },
	{ "cut by the end", 4, SYN, { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 4 }, 10, 0x0204 },
};

static size_t make(const struct row *row, struct ethernet *at)
{
	size_t len = frame_make(frame, &(struct frame_wish){ .version = row->version,
					       .protocol = IP_TCP,
					       .tcp_options = 12,
					       .tcp_flags = row->flags,
					       .payload = 3 });
	uint32_t options;

	ethernet_parse(frame, len, at);
	options = at->transport + 20;
	memcpy(frame + options, row->options, 12);
	return len;
}

Test(mss, is_lowered)
{
	static const struct offload none;
	struct ethernet at;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *row = &rows[i];
		uint8_t *checksum;

		make(row, &at);
		checksum = frame + at.transport + 16;
		bytes_put_be16(checksum, 0);
		bytes_put_be16(checksum, (uint16_t)~frame_transport_sum(frame, &at));
		mss_clamp(frame, &at, &none, 1486);
		cr_expect_eq(bytes_be16(frame + at.transport + 20 + row->at), row->want, "%s",
			row->what);
		cr_expect_eq(frame_transport_sum(frame, &at), 0xffff, "%s", row->what);
	}
}

/* Another MTU, down to one that leaves nothing, and one that no segment size can tell. */
Test(mss, is_what_the_mtu_leaves)
{
	static const struct {
		uint32_t mtu;
		int version;
		uint16_t want;
	} of[] = { { 1400, 4, 1360 }, { 1400, 6, 1340 }, { 1500, 4, 1460 }, { 1499, 4, 1459 },
		{ 39, 4, 0 }, { 100000, 4, 1460 } };
	static const struct offload none;
	struct ethernet at;

	for (size_t i = 0; i < ARRAY_LEN(of); i++) {
		make(&(struct row){ NULL, of[i].version, SYN, { 2, 4, 0x05, 0xb4 }, 2, 0 }, &at);
		mss_clamp(frame, &at, &none, of[i].mtu);
		cr_expect_eq(bytes_be16(frame + at.transport + 22), of[i].want, "%u", of[i].mtu);
	}
}

Test(mss, leaves_a_checksum_that_is_not_made_yet)
{
	static const struct offload offload = { OFFLOAD_NEEDS_CHECKSUM, .checksum_start = 34,
		.checksum_offset = 16 };
	struct ethernet at;
	size_t len = make(&rows[0], &at);

	frame_leave_checksum(frame, len);
	mss_clamp(frame, &at, &offload, 1486);
	cr_assert_eq(bytes_be16(frame + at.transport + 22), 1446);
	cr_assert_eq(bytes_be16(frame + at.transport + 16), frame_pseudo(frame, &at));
}

Test(mss, of_other_frames_is_not_looked_for)
{
	static const struct frame_wish wishes[] = {
		{ 4, IP_UDP, .payload = 60 },
		{ 4, IP_ICMP, .payload = 60 },
		{ 4, IP_TCP, .fragment = 1, .tcp_flags = SYN, .payload = 60 },
	};
	static const struct offload none;

	for (size_t i = 0; i < ARRAY_LEN(wishes); i++) {
		size_t len = frame_make(frame, &wishes[i]);
		uint8_t before[200];
		struct ethernet at;

		memset(frame + 34, 2, len - 34); /* SYN, options... */
		memcpy(before, frame, len);
		ethernet_parse(frame, len, &at);
		mss_clamp(frame, &at, &none, 1486);
		cr_expect_arr_eq(frame, before, len);
	}
}
