/*
 * proxy_protocol: headers as haproxy writes them, cut anywhere, and what is none.
 */
#include "dataplane/net/proxy_protocol.h"
#include "dataplane/net/socket.h"
#include "lib/mem.h"

#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define FOUR	  SIGNATURE "\x21\x11\0\x0c\x0a\x01\x02\x03\x7f\0\0\x01\x30\x39\x01\xbb"
#define WITH(text)                                                                                 \
	{                                                                                          \
		text, sizeof(text) - 1                                                             \
	}

struct bytes {
	const char *data;
	size_t len;
};

static enum proxy_result read_bytes(
	const struct bytes *bytes, size_t *taken, struct proxy_ends *ends, const char **why)
{
	return proxy_read((const uint8_t *)bytes->data, bytes->len, taken, ends, why);
}

static unsigned port_of(const struct sockaddr_storage *end)
{
	return ntohs(((const struct sockaddr_in *)end)->sin_port);
}

Test(proxy_protocol, tells_both_ends)
{
	static const struct {
		struct bytes bytes;
		const char *client, *server;
		unsigned client_port, server_port;
	} rows[] = {
		{ WITH(FOUR), "10.1.2.3", "127.0.0.1", 12345, 443 },
		{ WITH(SIGNATURE "\x21\x21\0\x24"
				 "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07"
				 "\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\x02\0\x50\x1f\x90"),
			"2001:db8::7", "127.0.0.2", 80, 8080 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[STREAM_ADDRESS_LEN];
		struct proxy_ends ends;
		const char *why;
		size_t taken;

		cr_assert_eq(read_bytes(&rows[i].bytes, &taken, &ends, &why), PROXY_READ);
		cr_assert_eq(taken, rows[i].bytes.len);
		socket_text(&ends.client, text);
		cr_expect_str_eq(text, rows[i].client);
		socket_text(&ends.server, text);
		cr_expect_str_eq(text, rows[i].server);
		cr_expect_eq(port_of(&ends.client), rows[i].client_port);
		cr_expect_eq(port_of(&ends.server), rows[i].server_port);
	}
}

/* A proxy's own health check, one that does not know, a unix socket; extensions are skipped. */
Test(proxy_protocol, takes_headers_without_addresses_and_with_extensions)
{
	static const char paths[2 * 108];
	char local[16 + sizeof(paths)];
	const struct {
		struct bytes bytes;
		int family;
	} rows[] = {
		{ WITH(SIGNATURE "\x20\0\0\0"), AF_UNSPEC },
		{ WITH(SIGNATURE "\x20\x77\0\x02"
				 "ab"),
			AF_UNSPEC },
		{ WITH(SIGNATURE "\x21\0\0\x03"
				 "abc"),
			AF_UNSPEC },
		{ WITH(SIGNATURE "\x20\x11\0\x0c\x0a\x01\x02\x03\x7f\0\0\x01\x30\x39\x01\xbb"),
			AF_UNSPEC },
		{ WITH(SIGNATURE "\x21\x11\0\x10\x0a\x01\x02\x03\x7f\0\0\x01\x30\x39\x01\xbb"
				 "\x04\0\x01\0"),
			AF_INET },
		{ { local, sizeof(local) }, AF_UNIX },
	};

	memcpy(local, SIGNATURE "\x21\x31\0\xd8", 16);
	memcpy(local + 16, paths, sizeof(paths));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct proxy_ends ends;
		const char *why;
		size_t taken;

		cr_assert_eq(
			read_bytes(&rows[i].bytes, &taken, &ends, &why), PROXY_READ, "row %zu", i);
		cr_expect_eq(taken, rows[i].bytes.len, "row %zu", i);
		cr_expect_eq(ends.client.ss_family, rows[i].family, "row %zu", i);
	}
}

Test(proxy_protocol, waits_for_the_whole_header_and_leaves_what_follows)
{
	static const char bytes[] = FOUR "GET / HTTP/1.1\r\n";
	struct proxy_ends ends;
	const char *why;
	size_t taken;

	for (size_t len = 0; len < sizeof(FOUR) - 1; len++)
		cr_assert_eq(proxy_read((const uint8_t *)bytes, len, &taken, &ends, &why),
			PROXY_MORE, "%zu bytes", len);
	cr_assert_eq(proxy_read((const uint8_t *)bytes, sizeof(bytes) - 1, &taken, &ends, &why),
		PROXY_READ);
	cr_assert_eq(taken, sizeof(FOUR) - 1);
}

Test(proxy_protocol, refuses_what_is_no_header_at_its_first_wrong_byte)
{
	static const struct bytes rows[] = {
		WITH("G"), WITH("PROXY TCP4 10.1.2.3 127.0.0.1 12345 443\r\n"), /* version 1 */
		WITH("\r\n\r\n\0\r\nQUIT\r"), WITH("\x16\x03\x01"),		/* TLS */
		WITH(SIGNATURE "\x11\x11\0\x0c"),				/* a version */
		WITH(SIGNATURE "\x22\x11\0\x0c"),				/* a command */
		WITH(SIGNATURE "\x21\x12\0\x0c"),				/* datagrams */
		WITH(SIGNATURE "\x21\x41\xff\xff"),				/* a family */
		WITH(SIGNATURE "\x21\x11\0\x0b"), /* shorter than its addresses */
		WITH(SIGNATURE "\x21\x21\0\x23"), /* the same */
		WITH(SIGNATURE "\x21\x31\0\xd7"), /* the same */
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct proxy_ends ends;
		const char *why = NULL;
		size_t taken;

		cr_expect_eq(read_bytes(&rows[i], &taken, &ends, &why), PROXY_BROKEN, "row %zu", i);
		cr_expect_not_null(why, "row %zu", i);
	}
}

static void set_end(struct sockaddr_storage *end, const char *address, unsigned port)
{
	struct sockaddr_in *four = (struct sockaddr_in *)end;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)end;

	end->ss_family = strchr(address, ':') ? AF_INET6 : AF_INET;
	cr_assert_eq(inet_pton(end->ss_family, address,
			     end->ss_family == AF_INET ? (void *)&four->sin_addr
						       : (void *)&six->sin6_addr),
		1);
	four->sin_port = htons((uint16_t)port);
}

Test(proxy_protocol, writes_what_it_reads)
{
	static const struct {
		const char *client, *server, *read_client;
		size_t len;
	} rows[] = {
		{ "10.1.2.3", "127.0.0.1", "10.1.2.3", 28 },
		{ "2001:db8::7", "::1", "2001:db8::7", 52 },
		{ "::ffff:10.1.2.3", "127.0.0.1", "10.1.2.3", 28 },
		{ "2001:db8::7", "127.0.0.1", "2001:db8::7", 52 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct proxy_ends ends = { 0 }, read;
		uint8_t bytes[PROXY_WRITE_MAX];
		char text[STREAM_ADDRESS_LEN];
		const char *why;
		size_t taken;

		set_end(&ends.client, rows[i].client, 12345);
		set_end(&ends.server, rows[i].server, 443);
		cr_assert_eq(proxy_write(&ends, bytes), rows[i].len);
		cr_assert_eq(proxy_read(bytes, rows[i].len, &taken, &read, &why), PROXY_READ);
		cr_assert_eq(taken, rows[i].len);
		socket_text(&read.client, text);
		cr_expect_str_eq(text, rows[i].read_client);
		cr_expect_eq(port_of(&read.client), 12345);
		cr_expect_eq(port_of(&read.server), 443);
	}
}

Test(proxy_protocol, writes_bytes_as_they_are_specified)
{
	struct proxy_ends ends = { 0 };
	uint8_t bytes[PROXY_WRITE_MAX];

	set_end(&ends.client, "10.1.2.3", 12345);
	set_end(&ends.server, "127.0.0.1", 443);
	cr_assert_eq(proxy_write(&ends, bytes), sizeof(FOUR) - 1);
	cr_assert_eq(memcmp(bytes, FOUR, sizeof(FOUR) - 1), 0);
	ends.server.ss_family = AF_UNIX;
	cr_assert_eq(proxy_write(&ends, bytes), 16);
	cr_assert_eq(memcmp(bytes, SIGNATURE "\x21\0\0\0", 16), 0);
}
