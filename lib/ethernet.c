/* ethernet: see ethernet.h. */
#include "lib/ethernet.h"

#include "lib/bytes.h"

#define TAGS_MAX	4 /* VLAN tags */
#define EXTENSIONS_MAX	8 /* extension headers of IPv6 */
#define IPV4_LEN	20
#define IPV6_LEN	40
#define IPV4_MORE	0x2000
#define IPV4_OFFSET	0x1fff
#define IPV6_FRAGMENTED 0xfff9 /* offset and "more" of a fragment header */
#define IPV6_OFFSET	0xfff8
#define TCP_LEN		20
#define UDP_LEN		8

/* Extension headers of IPv6. */
enum { HOP_BY_HOP = 0, ROUTING = 43, FRAGMENT = 44, AUTHENTICATION = 51, DESTINATION = 60 };

static bool parse_type(const uint8_t *frame, size_t len, struct ethernet *out)
{
	uint32_t at = ETHERNET_HEADER_LEN;

	if (len < ETHERNET_HEADER_LEN)
		return false;
	for (int i = 0; i <= TAGS_MAX; i++, at += 4) {
		out->type = bytes_be16(frame + at - 2);
		out->network = at;
		if (out->type != ETHERNET_VLAN && out->type != ETHERNET_VLAN_OUTER)
			return true;
		if (at + 4 > len)
			return false;
	}
	return false;
}

static void parse_ipv4(const uint8_t *frame, size_t len, struct ethernet *out)
{
	const uint8_t *ip = frame + out->network;
	uint32_t room = (uint32_t)len - out->network;
	uint32_t header_len, total_len, fragment;

	if (room < IPV4_LEN || ip[0] >> 4 != 4)
		return;
	header_len = (ip[0] & 0xfU) * 4;
	total_len = bytes_be16(ip + 2);
	if (header_len < IPV4_LEN || total_len < header_len || total_len > room)
		return;
	fragment = bytes_be16(ip + 6);
	out->version = 4;
	out->protocol = ip[9];
	out->end = out->network + total_len;
	out->fragmented = (fragment & (IPV4_MORE | IPV4_OFFSET)) != 0;
	if ((fragment & IPV4_OFFSET) == 0)
		out->transport = out->network + header_len;
}

/* The length of the extension header at `at`, of which 8 bytes are there; 0: it is none. */
static uint32_t extension_len(uint8_t protocol, const uint8_t *at)
{
	switch (protocol) {
	case HOP_BY_HOP:
	case ROUTING:
	case DESTINATION:
		return (at[1] + 1U) * 8;
	case FRAGMENT:
		return 8;
	case AUTHENTICATION:
		return (at[1] + 2U) * 4;
	default:
		return 0;
	}
}

/* Goes past the extension headers; leaves out->transport 0 when there is nothing behind them. */
static void skip_extensions(const uint8_t *frame, struct ethernet *out)
{
	uint32_t at = out->network + IPV6_LEN;
	uint16_t fragment = 0;

	for (int i = 0; i <= EXTENSIONS_MAX; i++) {
		static const uint8_t none[8];
		uint32_t extension =
			extension_len(out->protocol, at + 8 <= out->end ? frame + at : none);

		if (extension == 0) {
			out->transport = at;
			return;
		}
		if (at + 8 > out->end || at + extension > out->end)
			return;
		if (out->protocol == FRAGMENT)
			fragment |= bytes_be16(frame + at + 2);
		out->protocol = frame[at];
		out->fragmented = (fragment & IPV6_FRAGMENTED) != 0;
		if ((fragment & IPV6_OFFSET) != 0)
			return;
		at += extension;
	}
}

static void parse_ipv6(const uint8_t *frame, size_t len, struct ethernet *out)
{
	const uint8_t *ip = frame + out->network;
	uint32_t room = (uint32_t)len - out->network;
	uint32_t payload_len;

	if (room < IPV6_LEN || ip[0] >> 4 != 6)
		return;
	payload_len = bytes_be16(ip + 4);
	if (payload_len > room - IPV6_LEN)
		return;
	out->version = 6;
	out->protocol = ip[6];
	out->end = out->network + IPV6_LEN + payload_len;
	skip_extensions(frame, out);
}

void ethernet_parse(const uint8_t *frame, size_t len, struct ethernet *out)
{
	*out = (struct ethernet){ 0 };
	if (!parse_type(frame, len, out))
		return;
	if (out->type == ETHERNET_IPV4)
		parse_ipv4(frame, len, out);
	else if (out->type == ETHERNET_IPV6)
		parse_ipv6(frame, len, out);
}

uint32_t ethernet_payload(const uint8_t *frame, const struct ethernet *at)
{
	uint32_t header_len = UDP_LEN;

	if (at->transport == 0 || (at->protocol != IP_TCP && at->protocol != IP_UDP))
		return 0;
	if (at->protocol == IP_TCP) {
		if (at->transport + TCP_LEN > at->end)
			return 0;
		header_len = (frame[at->transport + 12] >> 4) * 4U;
		if (header_len < TCP_LEN)
			return 0;
	}
	return at->transport + header_len <= at->end ? at->transport + header_len : 0;
}
