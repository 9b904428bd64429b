/* ethernet: where the headers are found, and that a frame cut anywhere is never read past its end.
 */
#include "lib/ethernet.h"

#include "lib/mem.h"
#include "tests/frames.h"

#include <criterion/criterion.h>

static uint8_t frame[ETHERNET_FRAME_MAX];

struct row {
	const char *what;
	struct frame_wish wish;
	struct ethernet want;
	uint32_t payload;
};

static const struct row rows[] = {
	{ "tcp", { 4, IP_TCP, .payload = 9 }, { 14, 34, 63, ETHERNET_IPV4, 4, IP_TCP, false }, 54 },
	{ "udp", { 4, IP_UDP, .payload = 9 }, { 14, 34, 51, ETHERNET_IPV4, 4, IP_UDP, false }, 42 },
	{ "a tag", { 4, IP_TCP, .tags = 1 }, { 18, 38, 58, ETHERNET_IPV4, 4, IP_TCP, false }, 58 },
	{ "two tags", { 6, IP_UDP, .tags = 2 }, { 22, 62, 70, ETHERNET_IPV6, 6, IP_UDP, false },
		70 },
	{ "five tags", { 4, IP_UDP, .tags = 5 }, { 30, 0, 0, ETHERNET_VLAN, 0, 0, false }, 0 },
	{ "options", { 4, IP_TCP, .options = 40, .tcp_options = 12, .payload = 1 },
		{ 14, 74, 107, ETHERNET_IPV4, 4, IP_TCP, false }, 106 },
	{ "tcp6", { 6, IP_TCP, .payload = 100 }, { 14, 54, 174, ETHERNET_IPV6, 6, IP_TCP, false },
		74 },
	{ "an extension header", { 6, IP_TCP, .options = 24 },
		{ 14, 78, 98, ETHERNET_IPV6, 6, IP_TCP, false }, 98 },
	{ "icmp", { 4, IP_ICMP, .payload = 8 }, { 14, 34, 42, ETHERNET_IPV4, 4, IP_ICMP, false },
		0 },
	{ "a first fragment", { 4, IP_UDP, .fragment = 0x2000, .payload = 8 },
		{ 14, 34, 50, ETHERNET_IPV4, 4, IP_UDP, true }, 42 },
	{ "a later fragment", { 4, IP_UDP, .fragment = 0x0001, .payload = 8 },
		{ 14, 0, 50, ETHERNET_IPV4, 4, IP_UDP, true }, 0 },
	{ "do not fragment", { 4, IP_UDP, .fragment = 0x4000 },
		{ 14, 34, 42, ETHERNET_IPV4, 4, IP_UDP, false }, 42 },
	{ "a first fragment of IPv6", { 6, IP_UDP, .options = 8, .fragment = 0x0001 },
		{ 14, 70, 78, ETHERNET_IPV6, 6, IP_UDP, true }, 78 },
	{ "a later fragment of IPv6", { 6, IP_UDP, .fragment = 0x0008, .payload = 8 },
		{ 14, 0, 78, ETHERNET_IPV6, 6, IP_UDP, true }, 0 },
};

Test(ethernet, finds_headers)
{
	struct ethernet at;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *row = &rows[i];

		ethernet_parse(frame, frame_make(frame, &row->wish), &at);
		cr_expect_eq(
			at.network, row->want.network, "%s: network %u", row->what, at.network);
		cr_expect_eq(at.transport, row->want.transport, "%s: transport %u", row->what,
			at.transport);
		cr_expect_eq(at.end, row->want.end, "%s: end %u", row->what, at.end);
		cr_expect_eq(at.type, row->want.type, "%s: type %x", row->what, at.type);
		cr_expect_eq(at.version, row->want.version, "%s", row->what);
		cr_expect_eq(at.protocol, row->want.protocol, "%s", row->what);
		cr_expect_eq(at.fragmented, row->want.fragmented, "%s", row->what);
		cr_expect_eq(ethernet_payload(frame, &at), row->payload, "%s", row->what);
	}
}

/* The copy ends where its allocation does, so the sanitizer sees a read past the end. */
Test(ethernet, a_cut_frame_has_no_more_than_is_there)
{
	struct ethernet at;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t len = frame_make(frame, &rows[i].wish);

		for (size_t cut = 0; cut < len; cut++) {
			AUTO_FREE uint8_t *copy = xmalloc(cut + 1);

			memcpy(copy + 1, frame, cut);
			ethernet_parse(copy + 1, cut, &at);
			cr_expect_eq(at.version, 0, "%s cut at %zu", rows[i].what, cut);
			cr_expect_eq(ethernet_payload(copy + 1, &at), 0);
		}
	}
}

Test(ethernet, padding_is_not_of_the_packet)
{
	struct ethernet at;
	size_t len = frame_make(frame, &(struct frame_wish){ 4, IP_UDP, .payload = 1 });

	ethernet_parse(frame, len + 17, &at);
	cr_assert_eq(at.end, len);
}

Test(ethernet, broken_headers_are_not_there)
{
	static const struct {
		const char *what;
		size_t at;
		uint8_t byte;
	} broken[] = {
		{ "another version", 14, 0x55 },
		{ "a header of 16 bytes", 14, 0x44 },
		{ "a header longer than the packet", 14, 0x4f },
		{ "a packet longer than the frame", 17, 200 },
		{ "a packet shorter than its header", 17, 19 },
	};
	struct ethernet at;

	for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
		size_t len = frame_make(frame, &(struct frame_wish){ 4, IP_TCP, .tags = 0 });

		frame[broken[i].at] = broken[i].byte;
		ethernet_parse(frame, len, &at);
		cr_expect_eq(at.version, 0, "%s", broken[i].what);
		cr_expect_eq(at.transport, 0, "%s", broken[i].what);
	}
}

Test(ethernet, tcp_with_a_header_that_cannot_be_has_no_payload)
{
	size_t len = frame_make(frame, &(struct frame_wish){ 4, IP_TCP, .payload = 10 });
	struct ethernet at;

	ethernet_parse(frame, len, &at);
	frame[34 + 12] = 0x40;
	cr_expect_eq(ethernet_payload(frame, &at), 0, "16 bytes");
	frame[34 + 12] = 0xf0;
	cr_expect_eq(ethernet_payload(frame, &at), 0, "60 of 30 bytes");
}

Test(ethernet, extension_headers_without_end_are_not_followed)
{
	struct ethernet at;
	size_t len = frame_make(frame, &(struct frame_wish){ 6, 60, .payload = 800 });

	for (size_t i = 0; i < 800; i += 8) {
		memset(frame + 54 + i, 0, 8);
		frame[54 + i] = 60;
	}
	ethernet_parse(frame, len, &at);
	cr_assert_eq(at.version, 6);
	cr_assert_eq(at.transport, 0);
}
