/*
 * truncated: what a sender is told whose packets arrive cut, and who is told nothing.
 */
#include "dataplane/switch/truncated.h"
#include "lib/mem.h"
#include "tests/frames.h"

#include <criterion/criterion.h>

#define CUT 1500 /* what vpn-ws-client sends of a frame */

static uint8_t frame[ETHERNET_FRAME_MAX];
static uint8_t reply[TRUNCATED_REPLY_MAX];
static size_t reply_len;

static enum truncated_verdict check(const struct frame_wish *wish, size_t len)
{
	size_t whole = frame_make(frame, wish);

	cr_assert_geq(whole, len);
	reply_len = 0;
	return truncated_check(frame, len, reply, &reply_len);
}

Test(truncated, a_whole_packet_is_let_through)
{
	const struct frame_wish rows[] = {
		{ .version = 4, .protocol = IP_UDP, .payload = 1458 },
		{ .version = 6, .protocol = IP_UDP, .payload = 1438 },
		{ .version = 4, .protocol = IP_TCP, .payload = 1 },
		{ .version = 6, .protocol = IP_TCP, .tags = 2, .payload = 1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_assert_eq(
			check(&rows[i], frame_make(frame, &rows[i])), TRUNCATED_NOT, "row %zu", i);
}

Test(truncated, tells_the_sender_over_ipv4)
{
	const struct frame_wish wish = { .version = 4, .protocol = IP_UDP, .payload = 1472 };
	const uint8_t *ip = reply + 14, *icmp = reply + 34;
	struct ethernet at;

	cr_assert_eq(check(&wish, CUT), TRUNCATED_REPLY);
	cr_assert_eq(reply_len, 14 + 576);
	cr_assert_arr_eq(reply, frame + 6, 6);
	cr_assert_arr_eq(reply + 6, frame, 6);
	ethernet_parse(reply, reply_len, &at);
	cr_assert_eq(at.version, 4);
	cr_assert_eq(at.protocol, IP_ICMP);
	cr_assert_eq(at.end, reply_len);
	cr_assert_arr_eq(ip + 12, frame + 30, 4, "from whom the packet was for");
	cr_assert_arr_eq(ip + 16, frame + 26, 4);
	cr_assert_eq(frame_sum(0, ip, 20), 0xffff);
	cr_assert_eq(icmp[0], 3);
	cr_assert_eq(icmp[1], 4);
	cr_assert_eq(bytes_be16(icmp + 6), 1486);
	cr_assert_arr_eq(icmp + 8, frame + 14, 548, "the packet itself");
	cr_assert_eq(frame_sum(0, icmp, reply_len - 34), 0xffff);
}

Test(truncated, tells_the_sender_over_ipv6)
{
	const struct frame_wish wish = { .version = 6, .protocol = IP_UDP, .payload = 1452 };
	const uint8_t *ip = reply + 14, *icmp = reply + 54;
	struct ethernet at;

	cr_assert_eq(check(&wish, CUT), TRUNCATED_REPLY);
	cr_assert_eq(reply_len, 14 + 1280);
	ethernet_parse(reply, reply_len, &at);
	cr_assert_eq(at.version, 6);
	cr_assert_eq(at.protocol, IP_ICMPV6);
	cr_assert_eq(at.end, reply_len);
	cr_assert_arr_eq(ip + 8, frame + 38, 16);
	cr_assert_arr_eq(ip + 24, frame + 22, 16);
	cr_assert_eq(icmp[0], 2);
	cr_assert_eq(bytes_be32(icmp + 4), 1486);
	cr_assert_arr_eq(icmp + 8, frame + 14, 1232);
	cr_assert_eq(frame_transport_sum(reply, &at), 0xffff);
}

Test(truncated, keeps_vlan_tags)
{
	const struct frame_wish wish = {
		.version = 4, .protocol = IP_TCP, .tags = 2, .payload = 1460
	};
	struct ethernet at;

	cr_assert_eq(check(&wish, CUT), TRUNCATED_REPLY);
	cr_assert_arr_eq(reply + 12, frame + 12, 10);
	ethernet_parse(reply, reply_len, &at);
	cr_assert_eq(at.network, 22);
	cr_assert_eq(bytes_be16(reply + at.transport + 6), 1478);
}

static void change_ip(size_t at, const char *bytes, size_t len)
{
	memcpy(frame + 14 + at, bytes, len);
}

Test(truncated, tells_nobody_who_is_none)
{
	const struct {
		int version;
		uint8_t protocol;
		uint16_t fragment;
		size_t at; /* what is changed in the packet */
		const char *bytes;
		size_t len;
		enum truncated_verdict want;
	} rows[] = {
		{ 4, IP_UDP, 0, 0, "", 0, TRUNCATED_REPLY },
		{ 4, IP_UDP, 0x2000, 0, "", 0, TRUNCATED_REPLY },  /* a first fragment */
		{ 4, IP_UDP, 0x0001, 0, "", 0, TRUNCATED_SILENT }, /* a later one */
		{ 4, IP_UDP, 0, 12, "\xe0\0\0\1", 4, TRUNCATED_SILENT },
		{ 4, IP_UDP, 0, 12, "\0\0\0\0", 4, TRUNCATED_SILENT },
		{ 4, IP_UDP, 0, 16, "\xff\xff\xff\xff", 4, TRUNCATED_SILENT },
		{ 4, IP_UDP, 0, 16, "\x7f\0\0\1", 4, TRUNCATED_SILENT },
		{ 4, IP_UDP, 0, 0, "\x41", 1, TRUNCATED_SILENT }, /* a header that can't be */
		{ 4, IP_ICMP, 0, 20, "\x08", 1, TRUNCATED_REPLY },
		{ 4, IP_ICMP, 0, 20, "\x03", 1, TRUNCATED_SILENT },
		{ 6, IP_UDP, 0, 0, "", 0, TRUNCATED_REPLY },
		{ 6, IP_UDP, 0, 24, "\xff", 1, TRUNCATED_SILENT },
		{ 6, IP_UDP, 0, 8, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16, TRUNCATED_SILENT },
		{ 6, IP_ICMPV6, 0, 40, "\x80", 1, TRUNCATED_REPLY },
		{ 6, IP_ICMPV6, 0, 40, "\x02", 1, TRUNCATED_SILENT },
		{ 6, IP_UDP, 0, 0, "\x70", 1, TRUNCATED_NOT }, /* no IP */
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct frame_wish wish = { .version = rows[i].version,
			.protocol = rows[i].protocol,
			.fragment = rows[i].fragment,
			.payload = 1490 };

		frame_make(frame, &wish);
		change_ip(rows[i].at, rows[i].bytes, rows[i].len);
		cr_assert_eq(
			truncated_check(frame, CUT, reply, &reply_len), rows[i].want, "row %zu", i);
	}
}

Test(truncated, no_group_and_no_tiny_packet_is_answered)
{
	const struct frame_wish wish = { .version = 4, .protocol = IP_UDP, .payload = 1472 };
	const struct frame_wish wish6 = { .version = 6, .protocol = IP_UDP, .payload = 1472 };

	frame_make(frame, &wish);
	frame[0] = 0x33;
	cr_assert_eq(truncated_check(frame, CUT, reply, &reply_len), TRUNCATED_SILENT);
	cr_assert_eq(check(&wish, 14 + 575), TRUNCATED_SILENT);
	cr_assert_eq(check(&wish, 14 + 576), TRUNCATED_REPLY);
	cr_assert_eq(check(&wish6, 14 + 1279), TRUNCATED_SILENT);
	cr_assert_eq(check(&wish6, 14 + 1280), TRUNCATED_REPLY);
	for (size_t len = 0; len < 100; len++)
		cr_assert_neq(truncated_check(frame, len, reply, &reply_len), TRUNCATED_REPLY);
}
