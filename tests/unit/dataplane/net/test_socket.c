/*
 * socket: what clients' sockets are set to, and addresses as texts and bytes.
 */
#include "dataplane/net/socket.h"
#include "lib/mem.h"

#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int option_of(int fd, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	cr_assert_eq(getsockopt(fd, level, name, &value, &len), 0);
	return value;
}

/* Of vpn-ws it is known that small frames of a burst wait for 40 ms (Nagle), and that
 * a peer which is gone stays for a quarter of an hour. */
Test(socket, sends_at_once_and_finds_dead_peers)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	socket_tune(fd);
	cr_expect_neq(option_of(fd, IPPROTO_TCP, TCP_NODELAY), 0);
	cr_expect_neq(option_of(fd, SOL_SOCKET, SO_KEEPALIVE), 0);
	cr_expect_leq(option_of(fd, IPPROTO_TCP, TCP_KEEPIDLE) +
			      option_of(fd, IPPROTO_TCP, TCP_KEEPINTVL) *
				      option_of(fd, IPPROTO_TCP, TCP_KEEPCNT),
		30);
	cr_expect_eq(option_of(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 30000);
	cr_expect_eq(option_of(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT), 16 * 1024);
	close(fd);
}

Test(socket, has_addresses_as_texts_and_as_bytes)
{
	static const struct {
		int family;
		const char *address, *text;
		const char *mapped; /* NULL: it is none */
	} rows[] = {
		{ AF_INET, "192.0.2.1", "192.0.2.1", "::ffff:192.0.2.1" },
		{ AF_INET6, "2001:db8::1", "2001:db8::1", "2001:db8::1" },
		{ AF_INET6, "::ffff:192.0.2.1", "192.0.2.1", "::ffff:192.0.2.1" },
		{ AF_UNIX, "", "unix", NULL },
		{ AF_UNSPEC, "", "", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct sockaddr_storage storage = { .ss_family = (sa_family_t)rows[i].family };
		uint8_t bytes[16], wanted[16];
		char text[STREAM_ADDRESS_LEN];

		if (rows[i].family == AF_INET)
			inet_pton(AF_INET, rows[i].address,
				&((struct sockaddr_in *)&storage)->sin_addr);
		else if (rows[i].family == AF_INET6)
			inet_pton(AF_INET6, rows[i].address,
				&((struct sockaddr_in6 *)&storage)->sin6_addr);
		socket_text(&storage, text);
		cr_expect_str_eq(text, rows[i].text, "row %zu: %s", i, text);
		cr_expect_eq(socket_map(&storage, bytes), rows[i].mapped != NULL, "row %zu", i);
		if (rows[i].mapped) {
			inet_pton(AF_INET6, rows[i].mapped, wanted);
			cr_expect_eq(memcmp(bytes, wanted, sizeof(bytes)), 0, "row %zu", i);
		}
	}
}

Test(socket, knows_both_ends)
{
	struct proxy_ends ends;
	int fds[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	socket_ends(fds[0], &ends);
	cr_expect_eq(ends.client.ss_family, AF_UNIX);
	cr_expect_eq(ends.server.ss_family, AF_UNIX);
	close(fds[0]);
	close(fds[1]);
	socket_ends(-1, &ends);
	cr_expect_eq(ends.client.ss_family, AF_UNSPEC);
}
