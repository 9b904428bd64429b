/*
 * truncated: RFC 792 and 1191 (IPv4), RFC 4443 (IPv6). The reply comes from the address that the
 * packet was for.
 */
#include "dataplane/switch/truncated.h"

#include "lib/bytes.h"
#include "lib/checksum.h"
#include "lib/ethernet.h"

#include <stdbool.h>
#include <string.h>

#define IPV4_LEN       20
#define IPV4_OFFSET    0x1fff
#define IPV4_MTU_MIN   576 /* every host takes that, and none believes less */
#define IPV4_REPLY_MAX 576
#define IPV6_LEN       40
#define IPV6_MTU_MIN   1280
#define IPV6_REPLY_MAX 1280
#define ICMP_LEN       8
#define TTL	       64

enum { ICMP_UNREACHABLE = 3, ICMP_TOO_BIG = 4, ICMPV6_TOO_BIG = 2, ICMPV6_INFORMATIONAL = 128 };

/* The packet: what is there of it. */
struct cut {
	const uint8_t *ip;
	size_t len;
};

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

static bool is_group(const uint8_t *mac)
{
	return (mac[0] & 1) != 0;
}

/* ---- IPv4 ---- */

static bool is_cut_ipv4(const struct cut *cut)
{
	return cut->len >= IPV4_LEN && cut->ip[0] >> 4 == 4 && bytes_be16(cut->ip + 2) > cut->len;
}

/* Zero, loopback, multicast and above are no hosts that could be told, or could have told. */
static bool is_host_ipv4(const uint8_t *address)
{
	return address[0] != 0 && address[0] != 127 && address[0] < 224;
}

/* An ICMP error tells of no other error; what is a question or an answer is here by its type. */
static bool is_told_ipv4(const struct cut *cut)
{
	size_t header_len = (cut->ip[0] & 0xfU) * 4;
	uint8_t type;

	if (header_len < IPV4_LEN || cut->len < IPV4_MTU_MIN || !is_host_ipv4(cut->ip + 12) ||
		!is_host_ipv4(cut->ip + 16) || (bytes_be16(cut->ip + 6) & IPV4_OFFSET) != 0)
		return false;
	type = cut->ip[header_len];
	return cut->ip[9] != IP_ICMP || type == 0 || type == 8 || type > 12;
}

static size_t reply_ipv4(const struct cut *cut, uint8_t *out)
{
	size_t quoted = smaller(cut->len, IPV4_REPLY_MAX - IPV4_LEN - ICMP_LEN);
	size_t len = IPV4_LEN + ICMP_LEN + quoted;
	uint8_t *icmp = out + IPV4_LEN;

	memset(out, 0, IPV4_LEN + ICMP_LEN);
	out[0] = 0x45;
	out[1] = 0xc0; /* internetwork control, as errors have it */
	bytes_put_be16(out + 2, (uint16_t)len);
	out[8] = TTL;
	out[9] = IP_ICMP;
	memcpy(out + 12, cut->ip + 16, 4);
	memcpy(out + 16, cut->ip + 12, 4);
	bytes_put_be16(out + 10, checksum_finish(checksum_add(0, out, IPV4_LEN)));
	icmp[0] = ICMP_UNREACHABLE;
	icmp[1] = ICMP_TOO_BIG;
	bytes_put_be16(icmp + 6, (uint16_t)cut->len);
	memcpy(icmp + ICMP_LEN, cut->ip, quoted);
	bytes_put_be16(icmp + 2, checksum_finish(checksum_add(0, icmp, ICMP_LEN + quoted)));
	return len;
}

/* ---- IPv6 ---- */

static bool is_cut_ipv6(const struct cut *cut)
{
	return cut->len >= IPV6_LEN && cut->ip[0] >> 4 == 6 &&
	       IPV6_LEN + (size_t)bytes_be16(cut->ip + 4) > cut->len;
}

static bool is_host_ipv6(const uint8_t *address)
{
	static const uint8_t none[15];

	return address[0] != 0xff && memcmp(address, none, sizeof(none)) != 0;
}

static bool is_told_ipv6(const struct cut *cut)
{
	return cut->len >= IPV6_MTU_MIN && is_host_ipv6(cut->ip + 8) &&
	       is_host_ipv6(cut->ip + 24) &&
	       (cut->ip[6] != IP_ICMPV6 || cut->ip[IPV6_LEN] >= ICMPV6_INFORMATIONAL);
}

static size_t reply_ipv6(const struct cut *cut, uint8_t *out)
{
	size_t quoted = smaller(cut->len, IPV6_REPLY_MAX - IPV6_LEN - ICMP_LEN);
	size_t len = ICMP_LEN + quoted;
	uint8_t *icmp = out + IPV6_LEN;
	uint8_t pseudo[4] = { 0, IP_ICMPV6 };
	uint32_t sum;

	memset(out, 0, IPV6_LEN + ICMP_LEN);
	out[0] = 0x60;
	bytes_put_be16(out + 4, (uint16_t)len);
	out[6] = IP_ICMPV6;
	out[7] = TTL;
	memcpy(out + 8, cut->ip + 24, 16);
	memcpy(out + 24, cut->ip + 8, 16);
	icmp[0] = ICMPV6_TOO_BIG;
	bytes_put_be32(icmp + 4, (uint32_t)cut->len);
	memcpy(icmp + ICMP_LEN, cut->ip, quoted);
	bytes_put_be16(pseudo + 2, (uint16_t)len);
	sum = checksum_add(0, out + 8, 32);
	sum = checksum_add(sum, pseudo, sizeof(pseudo));
	bytes_put_be16(icmp + 2, checksum_finish(checksum_add(sum, icmp, len)));
	return IPV6_LEN + len;
}

enum truncated_verdict truncated_check(
	const uint8_t *frame, size_t len, uint8_t reply[TRUNCATED_REPLY_MAX], size_t *reply_len)
{
	struct ethernet at;
	struct cut cut;
	bool is_ipv4;

	ethernet_parse(frame, len, &at);
	if (at.network == 0 || at.network > len || at.version != 0)
		return TRUNCATED_NOT;
	cut = (struct cut){ frame + at.network, len - at.network };
	is_ipv4 = at.type == ETHERNET_IPV4 && is_cut_ipv4(&cut);
	if (!is_ipv4 && !(at.type == ETHERNET_IPV6 && is_cut_ipv6(&cut)))
		return TRUNCATED_NOT;
	if (is_group(frame) || is_group(frame + 6) ||
		!(is_ipv4 ? is_told_ipv4(&cut) : is_told_ipv6(&cut)))
		return TRUNCATED_SILENT;
	memcpy(reply, frame + 6, 6);
	memcpy(reply + 6, frame, 6);
	memcpy(reply + 12, frame + 12, at.network - 12); /* tags and type */
	*reply_len = at.network + (is_ipv4 ? reply_ipv4 : reply_ipv6)(&cut, reply + at.network);
	return TRUNCATED_REPLY;
}
