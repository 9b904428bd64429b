/*
 * inspect: one function a protocol, each bounded by the frame's end and a fixed number of steps.
 */
#include "dataplane/switch/inspect.h"

#include "dataplane/switch/frame.h"
#include "dataplane/switch/neighbours.h"

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <string.h>

#define TYPE_IPV4  0x0800
#define TYPE_ARP   0x0806
#define TYPE_VLAN  0x8100
#define TYPE_QINQ  0x88a8
#define TYPE_9100  0x9100 /* QinQ of before the standard */
#define TYPE_IPV6  0x86dd
#define LENGTH_MAX 1500 /* up to here the type is the length of an LLC frame */

#define TAGS_MAX       8  /* more than any receiver takes off */
#define EXTENSIONS_MAX 16 /* the same */

#define DHCP4_CLIENT 68
#define DHCP6_CLIENT 546

/* What is left of a frame. */
struct cursor {
	const uint8_t *data;
	size_t len;
};

static uint16_t read16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static bool skip(struct cursor *at, size_t n)
{
	if (at->len < n)
		return false;
	at->data += n;
	at->len -= n;
	return true;
}

/* ---- IPv4 ---- */

static void inspect_ipv4(struct cursor at, struct inspected *out)
{
	size_t header_len;

	if (at.len < 20 || at.data[0] >> 4 != 4)
		return;
	header_len = (size_t)(at.data[0] & 0x0f) * 4;
	if (at.data[9] != IPPROTO_UDP || (read16(at.data + 6) & 0x1fff) != 0 || header_len < 20)
		return;
	/* A first fragment has at least 8 bytes of payload, so the ports are in it. */
	if (skip(&at, header_len) && at.len >= 4 && read16(at.data + 2) == DHCP4_CLIENT)
		out->kind = INSPECT_DHCP_SERVER;
}

static void inspect_arp(struct cursor at, struct inspected *out)
{
	static const uint8_t ethernet_ipv4[] = { 0, 1, 8, 0, 6, 4 };

	if (at.len < 28 || memcmp(at.data, ethernet_ipv4, sizeof(ethernet_ipv4)) != 0)
		return;
	out->kind = INSPECT_ARP;
	out->is_request = read16(at.data + 6) == 1;
	out->mac = at.data + 8;
	neighbour_map_ipv4(at.data + 14, out->sender);
	neighbour_map_ipv4(at.data + 24, out->target);
}

/* ---- IPv6 ---- */

static void inspect_icmpv6(struct cursor at, bool in_pieces, struct inspected *out)
{
	uint8_t type = at.data[0];

	if (type < ND_ROUTER_SOLICIT || type > ND_REDIRECT)
		return;
	if (in_pieces) /* RFC 6980: neighbour discovery is never fragmented */
		out->kind = INSPECT_HIDDEN;
	else if (type == ND_ROUTER_ADVERT || type == ND_REDIRECT)
		out->kind = INSPECT_ROUTER;
	else if (type != ND_ROUTER_SOLICIT && at.len >= sizeof(struct nd_neighbor_solicit)) {
		out->kind =
			type == ND_NEIGHBOR_SOLICIT ? INSPECT_SOLICITATION : INSPECT_ADVERTISEMENT;
		memcpy(out->target, at.data + 8, 16);
	}
}

static bool is_extension(uint8_t header)
{
	return header == IPPROTO_HOPOPTS || header == IPPROTO_ROUTING ||
	       header == IPPROTO_DSTOPTS || header == IPPROTO_FRAGMENT || header == IPPROTO_AH ||
	       header == IPPROTO_MH;
}

static size_t extension_len(uint8_t header, const uint8_t *bytes)
{
	if (header == IPPROTO_FRAGMENT)
		return 8;
	if (header == IPPROTO_AH)
		return (bytes[1] + 2U) * 4;
	return (bytes[1] + 1U) * 8;
}

/* The protocol behind the extension headers. False: it is not in this frame, and `hidden` says if
 * it should have been. */
static bool find_protocol(
	struct cursor *at, uint8_t *header, bool *in_pieces, struct inspected *out)
{
	for (int i = 0; is_extension(*header); i++) {
		uint8_t next;

		if (i == EXTENSIONS_MAX || at->len < 8) {
			out->kind = INSPECT_HIDDEN;
			return false;
		}
		if (*header == IPPROTO_FRAGMENT) {
			uint16_t place = read16(at->data + 2);

			*in_pieces = *in_pieces || (place & 0xfff9) != 0;
			if ((place & 0xfff8) != 0)
				return false; /* a later one: its first one was looked at */
		}
		next = at->data[0];
		if (!skip(at, extension_len(*header, at->data))) {
			out->kind = INSPECT_HIDDEN;
			return false;
		}
		*header = next;
	}
	return true;
}

static void inspect_ipv6(struct cursor at, struct inspected *out)
{
	bool in_pieces = false;
	uint8_t header;

	if (at.len < 40 || at.data[0] >> 4 != 6)
		return;
	header = at.data[6];
	memcpy(out->sender, at.data + 8, 16);
	if (!skip(&at, 40) || !find_protocol(&at, &header, &in_pieces, out))
		return;
	if (header != IPPROTO_ICMPV6 && header != IPPROTO_UDP)
		return;
	if (at.len < 4) /* RFC 7112: a first fragment has all headers */
		out->kind = INSPECT_HIDDEN;
	else if (header == IPPROTO_ICMPV6)
		inspect_icmpv6(at, in_pieces, out);
	else if (read16(at.data + 2) == DHCP6_CLIENT)
		out->kind = INSPECT_DHCP_SERVER;
}

/* ---- Ethernet ---- */

/* Goes behind VLAN tags; the type of what follows, 0 if there are too many or it is cut. */
static uint16_t skip_tags(struct cursor *at, struct inspected *out)
{
	for (int i = 0; i <= TAGS_MAX && at->len >= 2; i++) {
		uint16_t type = read16(at->data);

		if (type != TYPE_VLAN && type != TYPE_QINQ && type != TYPE_9100) {
			(void)skip(at, 2);
			return type;
		}
		if (at->len < 4)
			return 0;
		out->tagged = out->tagged || (read16(at->data + 2) & 0x0fff) != 0;
		(void)skip(at, 4);
	}
	return 0;
}

/* Some receivers take IP behind an LLC and SNAP header as well. */
static uint16_t skip_snap(struct cursor *at, uint16_t type)
{
	static const uint8_t snap[] = { 0xaa, 0xaa, 0x03, 0, 0, 0 };

	if (type > LENGTH_MAX || at->len < sizeof(snap) + 2 ||
		memcmp(at->data, snap, sizeof(snap)) != 0)
		return type;
	type = read16(at->data + sizeof(snap));
	(void)skip(at, sizeof(snap) + 2);
	return type;
}

void inspect(const uint8_t *data, size_t len, struct inspected *inspected)
{
	struct cursor at = { data + FRAME_LEN_MIN - 2, len - (FRAME_LEN_MIN - 2) };
	uint16_t type;

	inspected->kind = INSPECT_OTHER;
	inspected->tagged = false;
	type = skip_snap(&at, skip_tags(&at, inspected));
	if (type == TYPE_VLAN || type == TYPE_QINQ || type == TYPE_9100)
		inspected->kind = INSPECT_HIDDEN; /* tags behind a SNAP header */
	else if (type == TYPE_IPV4)
		inspect_ipv4(at, inspected);
	else if (type == TYPE_IPV6)
		inspect_ipv6(at, inspected);
	else if (type == TYPE_ARP)
		inspect_arp(at, inspected);
}
