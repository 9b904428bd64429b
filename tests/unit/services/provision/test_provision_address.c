/* test_provision_address: ranges that a network may and may not have, and random addresses. */
#include "services/provision/address.h"

#include "lib/mem.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

static const struct {
	int family;
	const char *text, *want; /* NULL: no range at all */
} parses[] = {
	{ AF_INET, "10.77.0.0/24", "10.77.0.0/24" },
	{ AF_INET, "10.77.0.9/24", "10.77.0.9/24" },
	{ AF_INET, "0.0.0.0/0", "0.0.0.0/0" },
	{ AF_INET, "255.255.255.255/32", "255.255.255.255/32" },
	{ AF_INET, "", NULL },
	{ AF_INET, "/", NULL },
	{ AF_INET, "/24", NULL },
	{ AF_INET, "10.77.0.0", NULL },
	{ AF_INET, "10.77.0.0/", NULL },
	{ AF_INET, "10.77.0.0/33", NULL },
	{ AF_INET, "10.77.0.0/024", NULL },
	{ AF_INET, "10.77.0.0/+24", NULL },
	{ AF_INET, "10.77.0.0/-1", NULL },
	{ AF_INET, "10.77.0.0/24 ", NULL },
	{ AF_INET, " 10.77.0.0/24", NULL },
	{ AF_INET, "10.77.0.0/24/24", NULL },
	{ AF_INET, "10.77.0/24", NULL },
	{ AF_INET, "10.77.0.256/24", NULL },
	{ AF_INET, "010.77.0.0/24", NULL },
	{ AF_INET, "0x0a.77.0.0/24", NULL },
	{ AF_INET, "10.77.0.0/255.255.255.0", NULL },
	{ AF_INET, "fd00::/64", NULL },
	{ AF_INET, "10.77.0.0/99999999999999999999", NULL },
	{ AF_INET6, "fd12:3456:789a:1::/64", "fd12:3456:789a:1::/64" },
	{ AF_INET6, "FD12:3456:789A:0001:0:0:0:0/64", "fd12:3456:789a:1::/64" },
	{ AF_INET6, "::/0", "::/0" },
	{ AF_INET6, "::1/128", "::1/128" },
	{ AF_INET6, "::1/129", NULL },
	{ AF_INET6, "fd00::1::/64", NULL },
	{ AF_INET6, "fe80::1%eth0/64", NULL },
	{ AF_INET6, "10.77.0.0/24", NULL },
	{ AF_INET6, "fd12:3456:789a:0001:0000:0000:0000:0000:0000:0000:0000:0000/64", NULL },
};

Test(address, parse)
{
	for (size_t i = 0; i < ARRAY_LEN(parses); i++) {
		struct address_range range;
		char text[ADDRESS_RANGE_LEN];
		bool good = address_range_parse(&range, parses[i].family, parses[i].text);

		cr_assert_eq(good, parses[i].want != NULL, "%s", parses[i].text);
		if (!good)
			continue;
		address_range_format(&range, text);
		cr_assert_str_eq(text, parses[i].want);
	}
}

static const struct {
	int family;
	const char *text, *want;
	bool changed;
} trims[] = {
	{ AF_INET, "10.77.0.9/24", "10.77.0.0/24", true },
	{ AF_INET, "10.77.0.0/24", "10.77.0.0/24", false },
	{ AF_INET, "10.77.255.255/17", "10.77.128.0/17", true },
	{ AF_INET, "255.255.255.255/0", "0.0.0.0/0", true },
	{ AF_INET, "10.77.0.9/32", "10.77.0.9/32", false },
	{ AF_INET6, "fd00::1/64", "fd00::/64", true },
	{ AF_INET6, "fd00::ffff:0/112", "fd00::ffff:0/112", false },
	{ AF_INET6, "fd00:0:0:0:8000::/64", "fd00::/64", true },
	{ AF_INET6, "fd00::1/128", "fd00::1/128", false },
};

Test(address, trim)
{
	for (size_t i = 0; i < ARRAY_LEN(trims); i++) {
		struct address_range range;
		char text[ADDRESS_RANGE_LEN];

		cr_assert(address_range_parse(&range, trims[i].family, trims[i].text));
		cr_assert_eq(address_range_trim(&range), trims[i].changed, "%s", trims[i].text);
		address_range_format(&range, text);
		cr_assert_str_eq(text, trims[i].want);
	}
}

/* `detail`: what the refusal must say; NULL: accepted. */
static const struct {
	err_t (*check)(struct call *call, const char *field, const char *text);
	const char *text, *detail;
} checks[] = {
	{ address_check_ipv4, "10.77.0.0/24", NULL },
	{ address_check_ipv4, "10.0.0.0/8", NULL },
	{ address_check_ipv4, "192.0.2.8/30", NULL },
	{ address_check_ipv4, "223.255.255.0/24", NULL },
	{ address_check_ipv4, "10.0.0.0/7", "8 to 30" },
	{ address_check_ipv4, "10.77.0.0/31", "8 to 30" },
	{ address_check_ipv4, "0.0.0.0/8", "unicast" },
	{ address_check_ipv4, "127.0.0.0/8", "unicast" },
	{ address_check_ipv4, "224.0.0.0/24", "unicast" },
	{ address_check_ipv4, "255.255.255.0/24", "unicast" },
	{ address_check_ipv4, "10.77.0.0", "10.77.0.0/24" },
	{ address_check_ipv4, "10.78.0.5/24", "10.78.0.0/24" },
	{ address_check_ipv4, "", "IPv4" },
	{ address_check_ipv4, "fd00::/64", "IPv4" },
	{ address_check_ipv6, "fd12:3456:789a:1::/64", NULL },
	{ address_check_ipv6, "2001:db8::/112", NULL },
	{ address_check_ipv6, "fd00::/63", "64 to 112" },
	{ address_check_ipv6, "fd00::/113", "64 to 112" },
	{ address_check_ipv6, "fe80::/64", "unique local" },
	{ address_check_ipv6, "ff02::/64", "unique local" },
	{ address_check_ipv6, "::/64", "unique local" },
	{ address_check_ipv6, "::ffff:10.0.0.0/104", "unique local" },
	{ address_check_ipv6, "fd00::1/64", "fd00::/64" },
	{ address_check_ipv6, "10.77.0.0/24", "IPv6" },
};

Test(address, check)
{
	for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
		struct call call = { 0 };
		err_t err = checks[i].check(&call, "range", checks[i].text);

		cr_assert_eq(err, checks[i].detail == NULL ? OK : ERR_INVALID_ARGUMENT, "%s",
			checks[i].text);
		if (err == OK)
			continue;
		cr_assert_str_eq(call.fault.field, "range");
		cr_assert_not_null(strstr(call.fault.detail, checks[i].detail), "%s: %s",
			checks[i].text, call.fault.detail);
	}
}

Test(address, random_ipv6_is_a_range_of_its_own)
{
	char text[ADDRESS_RANGE_LEN], other[ADDRESS_RANGE_LEN];
	struct call call = { 0 };

	for (int i = 0; i < 1000; i++) {
		address_random_ipv6(text);
		cr_assert_eq(address_check_ipv6(&call, "ipv6", text), OK, "%s", text);
		cr_assert_eq(strncmp(text, "fd", 2), 0, "%s", text);
		address_random_ipv6(other);
		cr_assert_str_neq(text, other);
	}
}

Test(address, random_mac_is_unicast_and_local)
{
	char text[ADDRESS_MAC_LEN], other[ADDRESS_MAC_LEN];
	unsigned first;

	for (int i = 0; i < 1000; i++) {
		address_random_mac(text);
		cr_assert_eq(strlen(text), ADDRESS_MAC_LEN - 1);
		cr_assert_eq(sscanf(text, "%2x:", &first), 1);
		cr_assert_eq(first & 3, 2, "%s", text);
		address_random_mac(other);
		cr_assert_str_neq(text, other);
	}
}
