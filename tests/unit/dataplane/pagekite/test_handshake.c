/* handshake: what clients of PageKite begin with, in one piece and byte by byte, and what is none.
 */
#include "dataplane/pagekite/handshake.h"

#include <criterion/criterion.h>

#include <string.h>

#define SALT	  "0123456789abcdef0123456789abcdef0123"
#define CHALLENGE "t0000001deadbeefdeadbeefdeadbeefdead"
#define SIGNATURE "89abcdef792ea98408eabbcf085e39276150"
#define BEGIN	  "CONNECT PageKite:1 HTTP/1.0\r\n"

static enum handshake_result read_text(struct handshake *handshake, const char *text)
{
	size_t taken = 0;
	enum handshake_result result =
		handshake_read(handshake, (const uint8_t *)text, strlen(text), &taken);

	if (result == HANDSHAKE_WHOLE)
		cr_expect_eq(taken, strlen(text));
	return result;
}

/* As pagekite 1.5.2 sends it. */
static const char whole[] =
	BEGIN "X-PageKite-Features: AddKites\r\n"
	      "X-PageKite-Version: 1.5.2.201011\r\n"
	      "X-PageKite-Features: ZChunks\r\n"
	      "X-PageKite: https:Fabrice.box.test:" SALT ":" CHALLENGE ":" SIGNATURE "\r\n"
	      "X-PageKite: raw-22:fabrice.box.test:" SALT "::" SIGNATURE "\r\n"
	      "x-pagekite: HTTP:fabrice.box.test:" SALT "::" SIGNATURE "\r\n"
	      "\r\n";

Test(handshake, of_a_client)
{
	struct handshake handshake;

	cr_assert_eq(read_text(&handshake, whole), HANDSHAKE_WHOLE);
	cr_assert_eq(handshake.n, 2);
	cr_expect_str_eq(handshake.kites[0].protocol, "https");
	cr_expect_str_eq(handshake.kites[0].name, "fabrice.box.test");
	cr_expect_str_eq(handshake.kites[0].salt, SALT);
	cr_expect_str_eq(handshake.kites[0].challenge, CHALLENGE);
	cr_expect_str_eq(handshake.kites[0].signature, SIGNATURE);
	cr_expect_str_eq(handshake.kites[1].protocol, "http");
	cr_expect_str_eq(handshake.kites[1].challenge, "");
}

Test(handshake, byte_by_byte)
{
	struct handshake handshake;
	size_t taken;

	for (size_t len = 1; len < strlen(whole); len++)
		cr_expect_eq(handshake_read(&handshake, (const uint8_t *)whole, len, &taken),
			HANDSHAKE_MORE, "%zu", len);
}

Test(handshake, what_is_none)
{
	static const struct {
		const char *text;
		enum handshake_result want;
	} rows[] = {
		{ "GET / HTTP/1.1\r\n\r\n", HANDSHAKE_OTHER },
		{ "CONNECT example.org:443 HTTP/1.0\r\n\r\n", HANDSHAKE_OTHER },
		{ "\x16\x03\x01", HANDSHAKE_OTHER },
		{ "C", HANDSHAKE_MORE },
		{ "HEAD /ping HTTP/1.1\r\nHost: ping.pagekite\r\n", HANDSHAKE_MORE },
		{ "HEAD /ping HTTP/1.1\r\nHost: ping.pagekite\r\n\r\n", HANDSHAKE_PING },
		{ "HEAD /pong HTTP/1.1\r\n\r\n", HANDSHAKE_OTHER },
		{ BEGIN "\r\n", HANDSHAKE_WRONG },
		{ BEGIN "X-PageKite: raw-22:a.b:c:d:e\r\n\r\n", HANDSHAKE_WRONG },
		{ BEGIN "X-PageKite: https:a.b:c:d\r\n\r\n", HANDSHAKE_WRONG },
		{ BEGIN "X-PageKite: https:a.b:c:d:e:f\r\n\r\n", HANDSHAKE_WRONG },
		{ BEGIN "X-PageKite: https::c:d:e\r\n\r\n", HANDSHAKE_WRONG },
		{ BEGIN "X-PageKite: https:a.b::d:e\r\n\r\n", HANDSHAKE_WRONG },
		{ BEGIN "X-PageKite: https:a.b:c:d:\r\n\r\n", HANDSHAKE_WRONG },
		{ BEGIN "X-PageKite: https:a b:c:d:e\r\n\r\n", HANDSHAKE_WRONG },
		{ BEGIN "X-PageKite: https:a.b:c:d:e;x\r\n\r\n", HANDSHAKE_WRONG },
		{ BEGIN "X-PageKite: https:a.b:" SALT SALT ":d:e\r\n\r\n", HANDSHAKE_WRONG },
		{ BEGIN "X-PageKite: https:a.b:c::e\n\n", HANDSHAKE_WHOLE },
	};
	struct handshake handshake;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		cr_expect_eq(read_text(&handshake, rows[i].text), rows[i].want, "row %zu", i);
}

Test(handshake, its_limits)
{
	static char text[HANDSHAKE_MAX + 1] = BEGIN;
	struct handshake handshake;

	for (size_t i = 0; i < HANDSHAKE_KITES_MAX; i++)
		strcat(text, "X-PageKite: https:a.b:c:d:e\r\n");
	strcat(text, "\r\n");
	cr_expect_eq(read_text(&handshake, text), HANDSHAKE_WHOLE);
	text[strlen(text) - 2] = '\0';
	strcat(text, "X-PageKite: https:a.b:c:d:e\r\n\r\n");
	cr_expect_eq(read_text(&handshake, text), HANDSHAKE_WRONG);
	memset(text + strlen(BEGIN), 'x', HANDSHAKE_MAX - strlen(BEGIN));
	cr_expect_eq(read_text(&handshake, text), HANDSHAKE_WRONG);
}
