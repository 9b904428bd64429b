/*
 * guard and inspect: answers to ARP and neighbour solicitations, who may speak for which address,
 * and what only routers and DHCP servers may send, however it is wrapped.
 */
#include "tests/unit/dataplane/network.h"

#include <arpa/inet.h>

TestSuite(guard, .init = network_open, .fini = network_close);

/* ---- frames ---- */

static uint8_t frame[512];
static size_t frame_len;

static void put(const void *bytes, size_t len)
{
	memcpy(frame + frame_len, bytes, len);
	frame_len += len;
}

static void put16(unsigned value)
{
	put((uint8_t[]){ (uint8_t)(value >> 8), (uint8_t)value }, 2);
}

static void put_mac(uint64_t mac)
{
	uint8_t bytes[6];

	frame_mac_write(mac, bytes);
	put(bytes, sizeof(bytes));
}

static void put_ip(int family, const char *text)
{
	uint8_t bytes[16];

	cr_assert_eq(inet_pton(family, text, bytes), 1);
	put(bytes, family == AF_INET ? 4 : 16);
}

static void begin(uint64_t to, uint64_t from)
{
	frame_len = 0;
	memset(frame, 0, sizeof(frame));
	put_mac(to);
	put_mac(from);
}

static void put_arp(int operation, uint64_t mac, const char *sender, const char *target)
{
	put16(0x0806);
	put((uint8_t[]){ 0, 1, 8, 0, 6, 4 }, 6);
	put16((unsigned)operation);
	put_mac(mac);
	put_ip(AF_INET, sender);
	put_mac(0);
	put_ip(AF_INET, target);
}

static enum drop send_arp(int from, int operation, const char *sender, const char *target)
{
	begin(FRAME_BROADCAST, MAC(from));
	put_arp(operation, MAC(from), sender, target);
	return send_bytes(from, frame, frame_len);
}

static void put_ipv6(uint8_t next, const char *source, const char *target)
{
	put16(0x86dd);
	put((uint8_t[]){ 0x60, 0, 0, 0, 0, 32, next, 255 }, 8);
	put_ip(AF_INET6, source);
	put_ip(AF_INET6, target);
}

static void put_nd(uint8_t type, const char *target)
{
	put((uint8_t[]){ type, 0, 0, 0, 0, 0, 0, 0 }, 8);
	put_ip(AF_INET6, target);
}

static enum drop send_nd(int from, uint8_t type, const char *source, const char *target)
{
	begin(0x3333ff000001, MAC(from));
	put_ipv6(58, source, "ff02::1:ff00:1");
	put_nd(type, target);
	return send_bytes(from, frame, frame_len);
}

/* ---- answers ---- */

Test(guard, answers_arp_for_a_member_and_floods_nothing)
{
	static const uint8_t want[42] = "\2\0\0\0\0\0\2\0\0\0\0\1\x08\x06\0\1\x08\0\6\4\0\2"
					"\2\0\0\0\0\1\x0a\0\0\2\2\0\0\0\0\0\x0a\0\0";

	for (int i = 0; i < 3; i++)
		network_attach(i, .mac_limit = 1);
	cr_assert_eq(send_arp(0, 1, "10.0.0.1", "10.0.0.2"), DROP_NONE);
	cr_assert_str_eq(who_got(), "0 ");
	cr_assert_eq(taps[0].last_len, 60);
	cr_assert_eq(memcmp(taps[0].last, want, 41), 0);
	cr_assert_eq(taps[0].last[41], 1);

	/* Not for oneself, not for addresses that nobody here has, and not to an answer. */
	cr_assert_eq(send_arp(0, 1, "10.0.0.1", "10.0.0.1"), DROP_NONE);
	cr_assert_str_eq(who_got(), "1 2 ");
	cr_assert_eq(send_arp(0, 1, "10.0.0.1", "10.0.0.9"), DROP_NONE);
	cr_assert_str_eq(who_got(), "1 2 ");
	cr_assert_eq(send_arp(0, 2, "10.0.0.1", "10.0.0.2"), DROP_NONE);
	cr_assert_str_eq(who_got(), "1 2 ");
	switch_detach(ctx, &taps[1].port);
	cr_assert_eq(send_arp(0, 1, "10.0.0.1", "10.0.0.2"), DROP_NONE);
	cr_assert_str_eq(who_got(), "2 ");
}

Test(guard, answers_with_the_address_that_the_member_itself_last_used)
{
	network_attach(0, .mac_limit = 1);
	network_attach(1, .bridge = true, .mac_limit = 4);
	begin(FRAME_BROADCAST, MAC(100));
	put_arp(1, MAC(100), "10.0.0.2", "10.0.0.77");
	cr_assert_eq(send_bytes(1, frame, frame_len), DROP_NONE);
	cr_assert_eq(send_arp(0, 1, "10.0.0.1", "10.0.0.2"), DROP_NONE);
	cr_assert_eq(frame_mac_read(taps[0].last + 6), MAC(100));
}

static unsigned checksum_of(const uint8_t *ipv6)
{
	unsigned sum = 32 + 58;

	for (size_t i = 8; i < 72; i += 2)
		sum += (unsigned)(ipv6[i] << 8 | ipv6[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

Test(guard, answers_neighbour_solicitations_for_a_member)
{
	const uint8_t *got = taps[0].last;
	uint8_t address[16];

	network_attach(0, .mac_limit = 1);
	network_attach(1, .router = true);
	network_attach(2, .mac_limit = 1);
	cr_assert_eq(send_nd(0, 135, "fd00::1", "fd00::2"), DROP_NONE);
	cr_assert_str_eq(who_got(), "0 ");
	cr_assert_eq(taps[0].last_len, 86);
	cr_assert_eq(frame_mac_read(got), MAC(0));
	cr_assert_eq(frame_mac_read(got + 6), MAC(1));
	cr_assert_eq(got[21], 255);
	inet_pton(AF_INET6, "fd00::2", address);
	cr_assert_eq(memcmp(got + 22, address, 16), 0);
	cr_assert_eq(memcmp(got + 62, address, 16), 0);
	cr_assert_eq(got[54], 136);
	cr_assert_eq(got[58], 0xe0, "router, solicited, override");
	cr_assert_eq(frame_mac_read(got + 80), MAC(1));
	cr_assert_eq(checksum_of(got + 14), 0xffff);

	/* Who looks whether an address is free is told as everybody is. */
	cr_assert_eq(send_nd(0, 135, "::", "fd00::3"), DROP_NONE);
	cr_assert_eq(frame_mac_read(got), 0x333300000001);
	cr_assert_eq(got[58], 0x20);
	cr_assert_eq(checksum_of(got + 14), 0xffff);
	cr_assert_eq(send_nd(0, 135, "fd00::1", "fd00::99"), DROP_NONE);
	cr_assert_str_eq(who_got(), "1 2 ");
}

Test(guard, answers_nothing_across_isolation_and_in_other_vlans)
{
	network_attach(0, .isolated = true);
	network_attach(1, .isolated = true);
	network_attach(2, .mac_limit = 1);
	cr_assert_eq(send_arp(0, 1, "10.0.0.1", "10.0.0.2"), DROP_NONE);
	cr_assert_str_eq(who_got(), "2 ");
	begin(FRAME_BROADCAST, MAC(0));
	put16(0x8100);
	put16(7);
	put_arp(1, MAC(0), "10.0.0.1", "10.0.0.3");
	cr_assert_eq(send_bytes(0, frame, frame_len), DROP_NONE);
	cr_assert_str_eq(who_got(), "2 ");
}

/* ---- who speaks for what ---- */

Test(guard, nobody_speaks_for_another_members_address)
{
	network_attach(0, .mac_limit = 1);
	network_attach(1, .mac_limit = 1);
	cr_assert_eq(send_arp(0, 2, "10.0.0.2", "10.0.0.2"), DROP_POLICY);
	cr_assert_eq(send_arp(0, 1, "10.0.0.2", "10.0.0.9"), DROP_POLICY);
	cr_assert_eq(send_nd(0, 136, "fd00::1", "fd00::2"), DROP_POLICY);
	cr_assert_eq(send_nd(0, 135, "fd00::2", "fd00::9"), DROP_POLICY);
	cr_assert_eq(n_notices[SWITCH_GUARD], 4);
	cr_assert_str_eq(who_got(), "");
	/* In the VLAN of priorities, which receivers take off. */
	begin(FRAME_BROADCAST, MAC(0));
	put16(0x8100);
	put16(0xe000);
	put_arp(2, MAC(0), "10.0.0.2", "10.0.0.2");
	cr_assert_eq(send_bytes(0, frame, frame_len), DROP_POLICY);
	/* For one that nobody has it may, unless it is guarded. */
	cr_assert_eq(send_arp(0, 2, "10.0.0.50", "10.0.0.50"), DROP_NONE);
}

Test(guard, a_guarded_port_speaks_for_its_own_addresses)
{
	network_attach(0, .address_guard = true);
	network_attach(1, .mac_limit = 1);
	cr_assert_eq(send_arp(0, 2, "10.0.0.50", "10.0.0.50"), DROP_POLICY);
	cr_assert_eq(send_arp(0, 2, "10.0.0.1", "10.0.0.1"), DROP_NONE);
	cr_assert_eq(send_arp(0, 1, "0.0.0.0", "10.0.0.1"), DROP_NONE);
	cr_assert_eq(send_nd(0, 136, "fd00::1", "fd00::50"), DROP_POLICY);
	cr_assert_eq(send_nd(0, 136, "fd00::1", "fd00::1"), DROP_NONE);
	cr_assert_eq(send_nd(0, 135, "::", "fd00::1"), DROP_NONE);
	cr_assert_eq(send_nd(0, 136, "fe80::1", "fe80::1"), DROP_NONE);
	begin(FRAME_BROADCAST, MAC(0));
	put_arp(2, MAC(1), "10.0.0.1", "10.0.0.1");
	cr_assert_eq(send_bytes(0, frame, frame_len), DROP_POLICY);
}

/* ---- routers and DHCP servers ---- */

/* Ways to wrap a router advertisement, and what becomes of each from a port that is no router. */
enum wrap {
	PLAIN,
	PRIORITY_TAG,
	TWO_TAGS,
	EIGHT_TAGS,
	SNAP,
	SNAP_AND_TAG,
	HOP_BY_HOP,
	MANY_OPTIONS,
	ATOMIC_FRAGMENT,
	FIRST_FRAGMENT,
	HEADERS_CUT,
	WRAPS
};

static void put_tag(unsigned type, unsigned vlan)
{
	put16(type);
	put16(vlan);
}

/* Everything between Ethernet and IPv6. */
static void put_link(enum wrap wrap)
{
	if (wrap == PRIORITY_TAG)
		put_tag(0x8100, 0);
	if (wrap == TWO_TAGS) {
		put_tag(0x88a8, 5);
		put_tag(0x8100, 0);
	}
	for (int i = 0; wrap == EIGHT_TAGS && i < 8; i++)
		put_tag(0x8100, 0);
	if (wrap == SNAP || wrap == SNAP_AND_TAG) {
		put16(64);
		put("\xaa\xaa\x03\0\0", 6);
	}
	if (wrap == SNAP_AND_TAG)
		put_tag(0x8100, 0);
}

static enum drop send_wrapped(int from, enum wrap wrap, uint8_t type)
{
	static const uint8_t first_header[WRAPS] = { [HOP_BY_HOP] = 0,
		[MANY_OPTIONS] = 60,
		[ATOMIC_FRAGMENT] = 44,
		[FIRST_FRAGMENT] = 44,
		[HEADERS_CUT] = 60 };

	begin(0x333300000001, MAC(from));
	put_link(wrap);
	put_ipv6(wrap >= HOP_BY_HOP ? first_header[wrap] : 58, "fe80::1", "ff02::1");
	if (wrap == HOP_BY_HOP)
		put("\x3a\0\5\2\0\0\1", 8);
	for (int i = 0; wrap == MANY_OPTIONS && i < 8; i++)
		put(i < 7 ? "\x3c\0\1\4\0\0\0" : "\x3a\0\1\4\0\0\0", 8);
	if (wrap == ATOMIC_FRAGMENT)
		put("\x3a\0\0\0\0\0\0\1", 8);
	if (wrap == FIRST_FRAGMENT)
		put("\x3a\0\0\1\0\0\0\1", 8);
	if (wrap == HEADERS_CUT) {
		put("\x3a\x7f\1\4\0\0\0", 8);
		return send_bytes(from, frame, frame_len);
	}
	put((uint8_t[16]){ type, 0, 0, 0, 64 }, 16);
	return send_bytes(from, frame, frame_len);
}

Test(guard, only_routers_send_router_advertisements_however_wrapped)
{
	network_attach(0, .mac_limit = 1);
	network_attach(1, .router = true);
	for (enum wrap wrap = PLAIN; wrap < WRAPS; wrap++) {
		cr_expect_eq(send_wrapped(0, wrap, 134), DROP_POLICY, "wrap %d", wrap);
		cr_expect_str_eq(who_got(), "", "wrap %d", wrap);
		cr_expect_eq(send_wrapped(0, wrap, 137), DROP_POLICY, "redirect, wrap %d", wrap);
	}
	cr_assert_eq(send_wrapped(1, PLAIN, 134), DROP_NONE);
	cr_assert_eq(send_wrapped(1, PRIORITY_TAG, 134), DROP_NONE);
	cr_assert_eq(send_wrapped(1, HOP_BY_HOP, 134), DROP_NONE);
	cr_assert_eq(send_wrapped(1, ATOMIC_FRAGMENT, 134), DROP_NONE);
	cr_assert_eq(send_wrapped(1, FIRST_FRAGMENT, 134), DROP_POLICY);
	/* What is not of neighbour discovery may be wrapped as it likes: an echo, a solicitation.
	 */
	cr_assert_eq(send_wrapped(0, PLAIN, 128), DROP_NONE);
	cr_assert_eq(send_wrapped(0, FIRST_FRAGMENT, 128), DROP_NONE);
	cr_assert_eq(send_wrapped(0, PLAIN, 133), DROP_NONE);
}

static enum drop send_udp4(int from, unsigned fragment, unsigned to_port)
{
	begin(FRAME_BROADCAST, MAC(from));
	put16(0x0800);
	put((uint8_t[]){ 0x46, 0, 0, 48, 0, 1 }, 6);
	put16(fragment);
	put((uint8_t[]){ 64, 17, 0, 0 }, 4);
	put_ip(AF_INET, "10.0.0.1");
	put_ip(AF_INET, "255.255.255.255");
	put("\1\1\1", 4); /* options */
	put16(67);
	put16(to_port);
	put("\0\x14\0\0\2\1\6\0\0\0\0\1\0\0\0", 16);
	return send_bytes(from, frame, frame_len);
}

static enum drop send_udp6(int from, unsigned to_port)
{
	begin(0x333300010002, MAC(from));
	put_ipv6(17, "fe80::1", "ff02::1:2");
	put16(547);
	put16(to_port);
	put("\0\x20\0\0\2\0\0", 8);
	return send_bytes(from, frame, frame_len);
}

Test(guard, only_dhcp_servers_answer_dhcp)
{
	network_attach(0, .mac_limit = 1);
	network_attach(1, .dhcp_server = true);
	cr_assert_eq(send_udp4(0, 0, 68), DROP_POLICY);
	cr_assert_eq(send_udp4(0, 0x2000, 68), DROP_POLICY); /* its first fragment */
	cr_assert_eq(send_udp4(0, 0, 67), DROP_NONE);	     /* a client's question */
	cr_assert_eq(send_udp6(0, 546), DROP_POLICY);
	cr_assert_eq(send_udp6(0, 547), DROP_NONE);
	cr_assert_eq(send_udp4(1, 0, 68), DROP_NONE);
	cr_assert_eq(send_udp6(1, 546), DROP_NONE);
	cr_assert_eq(send_wrapped(1, PLAIN, 134), DROP_POLICY, "a DHCP server is no router");
}

/* A frame may end anywhere. */
Test(guard, reads_no_byte_behind_a_frame)
{
	network_attach(0, .mac_limit = 1);
	network_attach(1, .mac_limit = 1);
	for (enum wrap wrap = PLAIN; wrap < WRAPS; wrap++) {
		size_t len;

		(void)send_wrapped(0, wrap, 134);
		len = frame_len;
		for (size_t cut = FRAME_LEN_MIN; cut < len; cut++) {
			uint8_t *exact = malloc(cut);

			memcpy(exact, frame, cut);
			(void)send_bytes(0, exact, cut);
			free(exact);
		}
	}
}
