/* headers: framing that is in doubt and headers that come twice are refused. */
#include "gateway/headers.h"

#include "lib/mem.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <string.h>

struct line {
	const char *name, *value;
};

static const struct {
	struct line lines[3];
	enum http_status want;
	const char *field;
} rows[] = {
	{ { { "Host", "x" } }, 0, NULL },
	{ { { "Host", "x" }, { "content-length", "12" } }, 0, NULL },
	{ { { "Transfer-Encoding", "Chunked" } }, 0, NULL },
	{ { { "X-A", "1" }, { "X-A", "2" } }, 0, NULL },
	{ { { "Content-Length", "1048576" } }, 0, NULL },
	{ { { "Content-Length", "1" }, { "Content-Length", "1" } }, HTTP_BAD_REQUEST,
		"Content-Length" },
	{ { { "Content-Length", "1" }, { "CONTENT-LENGTH", "2" } }, HTTP_BAD_REQUEST,
		"Content-Length" },
	{ { { "Content-Length", "1" }, { "Transfer-Encoding", "chunked" } }, HTTP_BAD_REQUEST,
		"Transfer-Encoding" },
	{ { { "Transfer-Encoding", "gzip, chunked" } }, HTTP_BAD_REQUEST, "Transfer-Encoding" },
	{ { { "Transfer-Encoding", "chunked" }, { "Transfer-Encoding", "chunked" } },
		HTTP_BAD_REQUEST, "Transfer-Encoding" },
	{ { { "Content-Length", "-1" } }, HTTP_BAD_REQUEST, "Content-Length" },
	{ { { "Content-Length", "+1" } }, HTTP_BAD_REQUEST, "Content-Length" },
	{ { { "Content-Length", "1,1" } }, HTTP_BAD_REQUEST, "Content-Length" },
	{ { { "Content-Length", "" } }, HTTP_BAD_REQUEST, "Content-Length" },
	{ { { "Content-Length", "1048577" } }, HTTP_CONTENT_TOO_LARGE, "" },
	{ { { "Content-Length", "99999999999999999999999999" } }, HTTP_CONTENT_TOO_LARGE, "" },
	{ { { "Content-Length ", "1" } }, HTTP_BAD_REQUEST, "" },
	{ { { "", "1" } }, HTTP_BAD_REQUEST, "" },
	{ { { "A\tB", "1" } }, HTTP_BAD_REQUEST, "" },
	{ { { "X-A", "a\tb\xff" } }, 0, NULL },
	{ { { "X-A", "a\rContent-Length: 5" } }, HTTP_BAD_REQUEST, "" },
	{ { { "Authorization", "Basic YQ==\x01" } }, HTTP_BAD_REQUEST, "" },
	{ { { "X-A", "\x7f" } }, HTTP_BAD_REQUEST, "" },
	{ { { "Authorization", "a" }, { "authorization", "b" } }, HTTP_BAD_REQUEST,
		"Authorization" },
	{ { { "Host", "a" }, { "Host", "b" } }, HTTP_BAD_REQUEST, "Host" },
	{ { { "If-Match", "a" }, { "If-Match", "b" } }, HTTP_BAD_REQUEST, "If-Match" },
	{ { { "Idempotency-Key", "a" }, { "Idempotency-Key", "b" } }, HTTP_BAD_REQUEST,
		"Idempotency-Key" },
};

Test(headers, framing)
{
	AUTO_ARENA arena = arena_create();

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct headers headers = { .len = 0 };

		for (size_t j = 0; j < ARRAY_LEN(rows[i].lines) && rows[i].lines[j].name; j++)
			headers_add(&headers, arena, rows[i].lines[j].name, rows[i].lines[j].value);
		headers_check(&headers);
		cr_expect(eq(int, (int)headers.refused, (int)rows[i].want), "row %zu", i);
		if (rows[i].field != NULL)
			cr_expect(eq(str, (char *)headers.field, (char *)rows[i].field), "row %zu",
				i);
	}
}

Test(headers, values_are_found_by_name_in_any_case)
{
	AUTO_ARENA arena = arena_create();
	struct headers headers = { .len = 0 };

	headers_add(&headers, arena, "if-match", "\"1\"");
	headers_add(&headers, arena, "IDEMPOTENCY-KEY", "k");
	headers_add(&headers, arena, "Content-type", "application/json");
	headers_check(&headers);
	cr_expect(eq(int, (int)headers.refused, 0));
	cr_expect(eq(str, (char *)headers.if_match, "\"1\""));
	cr_expect(eq(str, (char *)headers.idempotency_key, "k"));
	cr_expect(eq(str, (char *)headers.content_type, "application/json"));
	cr_expect(eq(ptr, (void *)headers.authorization, NULL));
}

Test(headers, too_large)
{
	AUTO_ARENA arena = arena_create();
	struct headers headers = { .len = 0 };
	char value[HEADERS_MAX / 2];

	memset(value, 'a', sizeof(value));
	value[sizeof(value) - 1] = '\0';
	headers_add(&headers, arena, "A", value);
	headers_check(&headers);
	cr_expect(eq(int, (int)headers.refused, 0));
	headers_add(&headers, arena, "B", value);
	headers_check(&headers);
	cr_expect(eq(int, (int)headers.refused, HTTP_HEADERS_TOO_LARGE));
}

Test(headers, too_many)
{
	AUTO_ARENA arena = arena_create();
	struct headers headers = { .len = 0 };

	for (int i = 0; i < HEADERS_N_MAX; i++)
		headers_add(&headers, arena, "A", "");
	headers_check(&headers);
	cr_assert(eq(int, (int)headers.refused, 0));
	headers_add(&headers, arena, "A", "");
	headers_check(&headers);
	cr_expect(eq(int, (int)headers.refused, HTTP_HEADERS_TOO_LARGE));
}

Test(headers, accept_is_one_list_however_many_lines_it_has)
{
	AUTO_ARENA arena = arena_create();
	struct headers headers = { .len = 0 };

	headers_add(&headers, arena, "Accept", "application/x-openvpn-profile");
	headers_add(&headers, arena, "accept", "application/x-wireguard-profile");
	headers_check(&headers);
	cr_expect(eq(int, (int)headers.refused, 0));
	cr_expect(eq(str, (char *)headers.accept,
		"application/x-openvpn-profile, application/x-wireguard-profile"));
	for (size_t i = 0; i < 10000; i++) /* more than would be let in */
		headers_add(&headers, arena, "Accept", "text/html");
	cr_expect(lt(sz, strlen(headers.accept), 2048));
}
