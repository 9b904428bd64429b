/* Which listening addresses are taken, and as what. */
#include "lib/endpoint.h"
#include "lib/mem.h"

#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

Test(endpoint, good_ones)
{
	static const struct {
		const char *text;
		int family;
		int port;
	} rows[] = {
		{ "127.0.0.1:80", AF_INET, 80 },
		{ ":8443", AF_INET, 8443 },
		{ "0.0.0.0:0", AF_INET, 0 },
		{ "[::1]:65535", AF_INET6, 65535 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct sockaddr_storage address;

		cr_assert(endpoint_parse(rows[i].text, &address) == OK, "%s", rows[i].text);
		cr_expect_eq(address.ss_family, rows[i].family);
		/* The port stands at the same place in both. */
		cr_expect_eq(ntohs(((struct sockaddr_in *)&address)->sin_port), rows[i].port);
	}
}

Test(endpoint, bad_ones)
{
	static const char *const rows[] = { "", ":", "80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x",
		"127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:+1", "localhost:80", "::1:80",
		"[::1:80", "[]:80", "[127.0.0.1]:80", "1.2.3:80", "127.0.0.1:80x",
		"[1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc]:1" };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct sockaddr_storage address;

		cr_expect(endpoint_parse(rows[i], &address) == ERR_INVALID_ARGUMENT, "%s", rows[i]);
	}
}

Test(endpoint, paths)
{
	char longest[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	char longer[sizeof(longest) + 1];
	const char *const rows[] = { "/run/vpn.sock", "vpn.sock", "/run/a:b", longest };
	struct sockaddr_storage address;
	socklen_t len;

	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cr_assert(endpoint_parse_any(rows[i], &address, &len) == OK, "%s", rows[i]);
		cr_assert_eq(address.ss_family, AF_UNIX);
		cr_assert_str_eq(((struct sockaddr_un *)&address)->sun_path, rows[i]);
		cr_assert_eq(len, sizeof(struct sockaddr_un));
	}
	cr_assert(endpoint_parse_any(longer, &address, &len) == ERR_INVALID_ARGUMENT);
	cr_assert(endpoint_parse_any("", &address, &len) == ERR_INVALID_ARGUMENT);
	cr_assert(endpoint_parse_any("host:80", &address, &len) == ERR_INVALID_ARGUMENT);
	cr_assert(endpoint_parse_any("[::1]:80", &address, &len) == OK);
	cr_assert_eq(len, sizeof(struct sockaddr_in6));
	cr_assert(endpoint_parse_any(":80", &address, &len) == OK);
	cr_assert_eq(len, sizeof(struct sockaddr_in));
}
