/*
 * proxies: which addresses a list holds, and which lists are none.
 */
#include "dataplane/net/proxies.h"
#include "lib/mem.h"

#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static bool includes(const char *list, const char *address)
{
	struct sockaddr_storage storage = { .ss_family = AF_INET };
	struct proxies proxies;
	struct fault fault;

	cr_assert_eq(proxies_parse(&proxies, list, &fault), OK, "%s", list);
	if (strchr(address, ':')) {
		storage.ss_family = AF_INET6;
		inet_pton(AF_INET6, address, &((struct sockaddr_in6 *)&storage)->sin6_addr);
	} else {
		inet_pton(AF_INET, address, &((struct sockaddr_in *)&storage)->sin_addr);
	}
	return proxies_include(&proxies, &storage);
}

Test(proxies, include_their_addresses_and_no_others)
{
	static const struct {
		const char *list, *address;
		bool included;
	} rows[] = {
		{ "", "127.0.0.1", false },
		{ "127.0.0.1", "127.0.0.1", true },
		{ "127.0.0.1", "127.0.0.2", false },
		{ "127.0.0.1", "::ffff:127.0.0.1", true },
		{ "10.0.0.0/8", "10.255.0.1", true },
		{ "10.0.0.0/8", "11.0.0.1", false },
		{ "10.0.0.0/9", "10.127.255.255", true },
		{ "10.0.0.0/9", "10.128.0.0", false },
		{ "0.0.0.0/0", "192.0.2.1", true },
		{ "0.0.0.0/0", "2001:db8::1", false },
		{ "::/0", "2001:db8::1", true },
		{ "::/0", "192.0.2.1", true },
		{ "2001:db8::/33", "2001:db8:7fff::1", true },
		{ "2001:db8::/33", "2001:db8:8000::1", false },
		{ "::1", "::1", true },
		{ "192.0.2.1,::1,10.0.0.0/8", "10.1.1.1", true },
		{ "192.0.2.1,::1,10.0.0.0/8", "192.0.2.2", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect_eq(includes(rows[i].list, rows[i].address), rows[i].included, "%s in %s",
			rows[i].address, rows[i].list);
}

Test(proxies, include_no_unix_socket)
{
	const struct sockaddr_storage local = { .ss_family = AF_UNIX };
	struct proxies proxies;
	struct fault fault;

	cr_assert_eq(proxies_parse(&proxies, "::/0", &fault), OK);
	cr_assert_not(proxies_include(&proxies, &local));
}

Test(proxies, are_refused_with_the_settings_name)
{
	static const char *const lists[] = { ",", "127.0.0.1,", "localhost", "127.0.0.1/33",
		"127.0.0.1/", "127.0.0.1/-1", "::1/129", "127.0.0.1/8x", "127.0.0.1 ", "127.0.0",
		"[::1]" };
	char many[65 * 4] = "";
	struct proxies proxies;
	struct fault fault;

	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		cr_expect_eq(proxies_parse(&proxies, lists[i], &fault), ERR_INVALID_ARGUMENT,
			"\"%s\"", lists[i]);
		cr_expect_str_eq(fault.field, "LANYARD_PROXIES");
	}
	for (int i = 0; i < 65; i++)
		strcat(many, i ? ",::1" : "::1");
	cr_expect_eq(proxies_parse(&proxies, many, &fault), ERR_INVALID_ARGUMENT);
	many[64 * 4 - 1] = '\0';
	cr_expect_eq(proxies_parse(&proxies, many, &fault), OK);
}
