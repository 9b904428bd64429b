/* Which addresses are private, also behind what carries one. */
#include "services/auth/outside/reach.h"

#include "lib/mem.h"

#include <criterion/criterion.h>

#include <arpa/inet.h>

static bool is_private(const char *text)
{
	struct sockaddr_in ipv4 = { .sin_family = AF_INET };
	struct sockaddr_in6 ipv6 = { .sin6_family = AF_INET6 };

	if (inet_pton(AF_INET, text, &ipv4.sin_addr) == 1)
		return reach_is_private((const struct sockaddr *)&ipv4);
	cr_assert_eq(inet_pton(AF_INET6, text, &ipv6.sin6_addr), 1, "%s", text);
	return reach_is_private((const struct sockaddr *)&ipv6);
}

Test(reach, private_addresses)
{
	static const char *const rows[] = { "0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1",
		"169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.168.1.1",
		"198.18.0.1", "224.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fd00::1",
		"ff02::1", "::ffff:10.0.0.1", "2002:a00:1::1",
		"2002:c0a8:101::", "2002:7f00:1::", "64:ff9b::10.0.0.1", "64:ff9b::127.0.0.1",
		"64:ff9b:1::8.8.8.8", "2001:0:808:808::", "2001:10::1", "2001:db8::1" };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect(is_private(rows[i]), "%s", rows[i]);
}

Test(reach, addresses_that_anybody_reaches)
{
	static const char *const rows[] = { "1.1.1.1", "8.8.8.8", "100.63.255.255", "172.15.0.1",
		"172.32.0.1", "192.0.1.1", "198.17.0.1", "223.255.255.255", "2606:4700::1111",
		"2001:4860:4860::8888", "2001:200::1", "::ffff:8.8.8.8", "2002:808:808::1",
		"64:ff9b::8.8.8.8" };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect_not(is_private(rows[i]), "%s", rows[i]);
}

Test(reach, other_families)
{
	const struct sockaddr address = { .sa_family = AF_UNIX };

	cr_expect(reach_is_private(&address));
}
