/*
 * guard: rules on what inspect saw, and replies of ARP (RFC 826) and neighbour discovery (RFC
 * 4861).
 */
#include "dataplane/switch/guard.h"

#include "dataplane/switch/frame.h"

#include <netinet/icmp6.h>
#include <string.h>

#define ARP_FRAME_LEN 60 /* what Ethernet pads it to */
#define ND_LEN	      32 /* an advertisement with one option */
#define IPV6_LEN      40
#define OPTION_TARGET 2

static const uint8_t nobody[16];
static const uint8_t all_nodes[16] = { 0xff, 0x02, [15] = 0x01 };

/* ---- who has what ---- */

static bool is_none(const uint8_t address[16])
{
	return memcmp(address, nobody, sizeof(nobody)) == 0;
}

static struct neighbour *find(const struct domain *domain, const uint8_t address[16])
{
	struct neighbour *neighbour;

	HASH_FIND(hh, domain->neighbours, address, sizeof(neighbour->address), neighbour);
	return neighbour;
}

static void neighbour_add(struct port *port, struct neighbour *neighbour)
{
	neighbour->port = NULL;
	neighbour->mac = 0;
	if (is_none(neighbour->address) || find(port->domain, neighbour->address))
		return;
	neighbour->port = port;
	HASH_ADD(hh, port->domain->neighbours, address, sizeof(neighbour->address), neighbour);
}

static void neighbour_remove(struct domain *domain, struct neighbour *neighbour)
{
	if (neighbour->port)
		HASH_DELETE(hh, domain->neighbours, neighbour);
	neighbour->port = NULL;
}

void guard_add(struct port *port)
{
	neighbour_add(port, &port->ipv4);
	neighbour_add(port, &port->ipv6);
}

void guard_remove(struct port *port)
{
	neighbour_remove(port->domain, &port->ipv4);
	neighbour_remove(port->domain, &port->ipv6);
}

/* ---- rules ---- */

static bool is_link_local(const uint8_t address[16])
{
	return address[0] == 0xfe && (address[1] & 0xc0) == 0x80;
}

static bool is_unspecified(const uint8_t address[16])
{
	static const uint8_t ipv4_any[16] = { [10] = 0xff, 0xff };

	return is_none(address) || memcmp(address, ipv4_any, sizeof(ipv4_any)) == 0;
}

/* The port says that it has the address. */
static const char *refuse_claim(struct port *port, const uint8_t address[16], uint64_t source)
{
	struct neighbour *owner = find(port->domain, address);

	if (owner && owner->port != port)
		return "it speaks for an address of another member";
	if (owner) {
		owner->mac = source;
		return NULL;
	}
	if (port->policy.address_guard && !is_unspecified(address) && !is_link_local(address))
		return "it speaks for an address that is not its own";
	return NULL;
}

static const char *refuse_arp(struct port *port, const struct inspected *inspected, uint64_t source)
{
	if (port->policy.address_guard && frame_mac_read(inspected->mac) != source)
		return "the ARP message names another sender than its frame";
	return refuse_claim(port, inspected->sender, source);
}

const char *guard_refuses(struct port *port, const struct inspected *inspected, uint64_t source)
{
	switch (inspected->kind) {
	case INSPECT_ROUTER:
		return port->policy.router ? NULL : "router advertisement of a member that is none";
	case INSPECT_DHCP_SERVER:
		return port->policy.dhcp_server ? NULL
						: "DHCP answer of a member that is no server";
	case INSPECT_HIDDEN:
		return "headers that are hidden in fragments";
	case INSPECT_ARP:
		return inspected->tagged ? NULL : refuse_arp(port, inspected, source);
	case INSPECT_SOLICITATION:
		return inspected->tagged ? NULL : refuse_claim(port, inspected->sender, source);
	case INSPECT_ADVERTISEMENT:
		return inspected->tagged ? NULL : refuse_claim(port, inspected->target, source);
	case INSPECT_OTHER:
		break;
	}
	return NULL;
}

/* ---- answers ---- */

static struct packet *reply_new(uint64_t to, uint64_t from, uint16_t type, size_t len)
{
	struct packet *packet = packet_new(len);

	memset(packet->data, 0, len);
	frame_mac_write(to, packet->data);
	frame_mac_write(from, packet->data + 6);
	packet->data[12] = (uint8_t)(type >> 8);
	packet->data[13] = (uint8_t)type;
	packet->len = (uint32_t)len;
	return packet;
}

static struct packet *arp_reply(const struct inspected *question, uint64_t asker, uint64_t mac)
{
	static const uint8_t head[] = { 0, 1, 8, 0, 6, 4, 0, 2 };
	struct packet *packet = reply_new(asker, mac, 0x0806, ARP_FRAME_LEN);
	uint8_t *arp = packet->data + FRAME_LEN_MIN;

	memcpy(arp, head, sizeof(head));
	frame_mac_write(mac, arp + 8);
	memcpy(arp + 14, question->target + 12, 4);
	memcpy(arp + 18, question->mac, 6);
	memcpy(arp + 24, question->sender + 12, 4);
	return packet;
}

/* The checksum of RFC 4443 over pseudo header and message; `message_len` is even. */
static uint16_t icmpv6_checksum(
	const uint8_t *addresses, const uint8_t *message, size_t message_len)
{
	uint32_t sum = (uint32_t)message_len + IPPROTO_ICMPV6;

	for (size_t i = 0; i < 32; i += 2)
		sum += (uint32_t)(addresses[i] << 8 | addresses[i + 1]);
	for (size_t i = 0; i < message_len; i += 2)
		sum += (uint32_t)(message[i] << 8 | message[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* Who asks with no address yet is told as everyone is, as RFC 4861, 7.2.4 has it. */
static struct packet *advertisement(
	const struct inspected *question, uint64_t asker, uint64_t mac, bool is_router)
{
	bool to_all = is_none(question->sender);
	struct packet *packet = reply_new(
		to_all ? 0x333300000001ULL : asker, mac, 0x86dd, FRAME_LEN_MIN + IPV6_LEN + ND_LEN);
	uint8_t *ip = packet->data + FRAME_LEN_MIN, *nd = ip + IPV6_LEN;
	uint16_t checksum;

	ip[0] = 0x60;
	ip[5] = ND_LEN;
	ip[6] = IPPROTO_ICMPV6;
	ip[7] = 255;
	memcpy(ip + 8, question->target, 16);
	memcpy(ip + 24, to_all ? all_nodes : question->sender, 16);
	nd[0] = ND_NEIGHBOR_ADVERT;
	nd[4] = (uint8_t)((is_router ? 0x80 : 0) | (to_all ? 0 : 0x40) | 0x20);
	memcpy(nd + 8, question->target, 16);
	nd[24] = OPTION_TARGET;
	nd[25] = 1;
	frame_mac_write(mac, nd + 26);
	checksum = icmpv6_checksum(ip + 8, nd, ND_LEN);
	nd[2] = (uint8_t)(checksum >> 8);
	nd[3] = (uint8_t)checksum;
	return packet;
}

bool guard_answer(
	struct port *port, const struct inspected *inspected, uint64_t source, int64_t now_ms)
{
	const struct neighbour *owner;
	struct packet *packet;
	uint64_t mac;

	if (inspected->tagged ||
		(inspected->kind != INSPECT_SOLICITATION &&
			(inspected->kind != INSPECT_ARP || !inspected->is_request)))
		return false;
	owner = find(port->domain, inspected->target);
	if (!owner || owner->port == port || port_is_held(owner->port, now_ms) ||
		(port->policy.isolated && owner->port->policy.isolated))
		return false;
	mac = owner->mac != 0 ? owner->mac : owner->port->mac;
	if (mac == 0)
		return false;
	packet = inspected->kind == INSPECT_ARP
			 ? arp_reply(inspected, source, mac)
			 : advertisement(inspected, source, mac, owner->port->policy.router);
	port->deliver(port, packet);
	packet_unref(packet);
	return true;
}
