/* chunk: what a kite sends after the handshake, whole, in pieces, and wrong; and what it is sent.
 */
#include "dataplane/pagekite/chunk.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

static enum chunk_result read_text(struct chunk *chunk, const char *text, size_t *taken)
{
	return chunk_read(chunk, (const uint8_t *)text, strlen(text), taken);
}

/* The body with its length in front. */
static const char *framed(const char *body)
{
	static char text[256];

	snprintf(text, sizeof(text), "%zx\r\n%s", strlen(body), body);
	return text;
}

Test(chunk, bytes_of_a_stream)
{
	static const char text[] = "d\r\nSID: 7\r\n\r\nabc" /* the next one: */ "17\r\nSID";
	struct chunk chunk;
	size_t taken;

	cr_assert_eq(read_text(&chunk, text, &taken), CHUNK_WHOLE);
	cr_expect_eq(taken, 3 + 13);
	cr_expect(chunk.has_stream && !chunk.noop && !chunk.eof);
	cr_expect_eq(chunk.stream, 7);
	cr_expect_eq(chunk.len, 3);
	cr_expect_eq(memcmp(chunk.data, "abc", 3), 0);
	cr_expect_eq(read_text(&chunk, text + taken, &taken), CHUNK_MORE);
}

Test(chunk, byte_by_byte)
{
	static const char text[] = "1a\r\nSID: 7\r\nEOF: 1WR\r\n\r\nBye!..";
	struct chunk chunk;
	size_t taken;

	for (size_t len = 0; len < strlen(text); len++)
		cr_expect_eq(chunk_read(&chunk, (const uint8_t *)text, len, &taken), CHUNK_MORE,
			"%zu", len);
	cr_expect_eq(read_text(&chunk, text, &taken), CHUNK_WHOLE);
}

Test(chunk, ends)
{
	static const struct {
		const char *eof;
		bool no_more, nobody;
	} rows[] = { { "1R", true, false }, { "1W", false, true }, { "1WR", true, true },
		{ "1", true, true } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char body[64];
		struct chunk chunk;
		size_t taken;

		snprintf(body, sizeof(body), "SID: 1\r\nEOF: %s\r\n\r\nBye!", rows[i].eof);
		cr_assert_eq(read_text(&chunk, framed(body), &taken), CHUNK_WHOLE);
		cr_expect(chunk.eof);
		cr_expect_eq(chunk.no_more, rows[i].no_more, "%s", rows[i].eof);
		cr_expect_eq(chunk.nobody, rows[i].nobody, "%s", rows[i].eof);
	}
}

Test(chunk, about_the_connection)
{
	struct chunk chunk;
	size_t taken;

	cr_assert_eq(
		read_text(&chunk, framed("NOOP: 1\r\nPING: 12.5\r\n\r\n!"), &taken), CHUNK_WHOLE);
	cr_expect(chunk.noop && !chunk.has_stream);
	cr_expect_str_eq(chunk.ping, "12.5");
	cr_assert_eq(read_text(&chunk, framed("NOOP: 1\r\nSID: 3\r\nSKB: 41\r\n\r\n"), &taken),
		CHUNK_WHOLE);
	cr_expect(chunk.noop && chunk.has_progress);
	cr_expect_eq(chunk.progress_kib, 41);
}

Test(chunk, what_is_wrong)
{
	static const char *const rows[] = { "0\r\n", "x\r\n", "\r\n", "-1\r\n", "aZb\r\nSID: 1",
		"aR\r\n", "fffff\r\n", "100000000\r\n", "5\rxabc", "4\r\nabcd", "6\r\nA: 1\r\n",
		"a\r\nA: 1\r\n\r\nab", "c\r\nSID: x\r\n\r\nab", "d\r\nSID: -1\r\n\r\nab",
		"16\r\nSID: 4294967296\r\n\r\nab", "22\r\nSID: 99999999999999999999\r\n\r\nabcd" };

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct chunk chunk;
		size_t taken;

		cr_expect_neq(read_text(&chunk, rows[i], &taken), CHUNK_WHOLE, "%s", rows[i]);
	}
}

/* What is written reads as it was meant. */
Test(chunk, what_is_written)
{
	char out[CHUNK_HEAD_MAX + 8];
	const struct chunk_visitor visitor = { "https", "fabrice.box.test", "2001:db8::1", 443,
		50000 };
	struct chunk chunk;
	size_t taken, len;

	len = chunk_data(out, 9, &visitor, 3);
	memcpy(out + len, "abc", 4);
	cr_assert_eq(read_text(&chunk, out, &taken), CHUNK_WHOLE);
	cr_expect_eq(taken, len + 3);
	cr_expect_eq(chunk.stream, 9);
	cr_expect_eq(chunk.len, 3);
	cr_expect_not_null(strstr(out, "Host: fabrice.box.test\r\n"));
	cr_expect_not_null(strstr(out, "RIP: 2001:db8::1\r\nRPort: 50000\r\n"));
	chunk_end(out, 9, false);
	cr_assert_eq(read_text(&chunk, out, &taken), CHUNK_WHOLE);
	cr_expect(chunk.eof && chunk.no_more && !chunk.nobody);
	chunk_progress(out, 9, 77);
	cr_assert_eq(read_text(&chunk, out, &taken), CHUNK_WHOLE);
	cr_expect_eq(chunk.progress_kib, 77);
	chunk_pong(out, "1.5");
	cr_assert_eq(read_text(&chunk, out, &taken), CHUNK_WHOLE);
	cr_expect(chunk.noop);
}

/* The longest that a visitor can be told with fits. */
Test(chunk, the_longest_head)
{
	char name[300], address[100], out[CHUNK_HEAD_MAX];
	const struct chunk_visitor visitor = { "websocket", name, address, 65535, 65535 };

	memset(name, 'n', sizeof(name) - 1);
	memset(address, 'a', sizeof(address) - 1);
	name[sizeof(name) - 1] = address[sizeof(address) - 1] = '\0';
	cr_expect_lt(chunk_data(out, UINT32_MAX, &visitor, CHUNK_MAX), CHUNK_HEAD_MAX);
}
