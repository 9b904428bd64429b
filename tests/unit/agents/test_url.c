/* url: what is taken, what is refused, where a redirection may lead. */
#include "agents/url.h"

#include "lib/mem.h"

#include <criterion/criterion.h>

#include <string.h>

Test(url, takes_apart)
{
	static const struct {
		const char *scheme, *text, *host;
		unsigned port;
		const char *path, *back;
	} rows[] = {
		{ "wss", "wss://a", "a", 443, "/", "wss://a:443/" },
		{ "wss", "wss://node-1.example:9443/l2", "node-1.example", 9443, "/l2",
			"wss://node-1.example:9443/l2" },
		{ "wss", "wss://127.0.0.1:1/", "127.0.0.1", 1, "/", "wss://127.0.0.1:1/" },
		{ "wss", "wss://[fd00::1]:65535/x", "fd00::1", 65535, "/x",
			"wss://[fd00::1]:65535/x" },
		{ "wss", "wss://[::1]", "::1", 443, "/", "wss://[::1]:443/" },
		{ "ws", "ws://a/", "a", 80, "/", "ws://a:80/" },
		{ "https", "https://a?b=c", "a", 443, "/?b=c", "https://a:443/?b=c" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char back[URL_TEXT_MAX];
		struct url url;

		cr_assert(url_parse(&url, rows[i].scheme, rows[i].text, NULL) == OK, "%s",
			rows[i].text);
		cr_expect_str_eq(url.host, rows[i].host);
		cr_expect_eq(url.port, rows[i].port);
		cr_expect_str_eq(url.path, rows[i].path);
		url_text(&url, back);
		cr_expect_str_eq(back, rows[i].back);
	}
}

Test(url, refuses)
{
	static const char *const rows[] = {
		"",
		"wss",
		"wss:/",
		"wss://",
		"ws://a/",
		"https://a/",
		"WSS://a/",
		"wss:///l2",
		"wss://:1/",
		"wss://a:/",
		"wss://a:0/",
		"wss://a:65536/",
		"wss://a:123456/",
		"wss://a:-1/",
		"wss://a:1x/",
		"wss://user@a/",
		"wss://user:password@a/",
		"wss://a b/",
		"wss://a/b c",
		"wss://a/\r\nX: y",
		"wss://a/#b",
		"wss://a/\xc3\xbc",
		"wss://[::1",
		"wss://::1/",
		"wss://[]/",
		"wss://[a]/",
		"wss://[::g]/",
		"wss://[1.2.3.4]/",
		"wss://a\\b/",
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct url url = { .port = 7 };
		struct fault fault = { 0 };

		cr_expect(url_parse(&url, "wss", rows[i], &fault) == ERR_INVALID_ARGUMENT, "%s",
			rows[i]);
		cr_expect_not_null(strstr(fault.detail, "wss://"), "%s", rows[i]);
		cr_expect_eq(url.port, 7, "%s: untouched", rows[i]);
	}
}

Test(url, refuses_what_is_too_long)
{
	char text[1200] = "wss://";
	struct url url;

	memset(text + 6, 'a', 253);
	cr_expect(url_parse(&url, "wss", text, NULL) == OK);
	memset(text + 6, 'a', 254);
	cr_expect(url_parse(&url, "wss", text, NULL) == ERR_INVALID_ARGUMENT);
	memset(text, 0, sizeof(text));
	memcpy(text, "wss://a/", 8);
	memset(text + 8, 'b', 510);
	cr_expect(url_parse(&url, "wss", text, NULL) == ERR_INVALID_ARGUMENT);
}

Test(url, follows_to_the_same_host_only)
{
	static const struct {
		const char *location, *want; /* NULL: not followed */
	} rows[] = {
		{ "/other", "wss://node.example:9443/other" },
		{ "/", "wss://node.example:9443/" },
		{ "wss://node.example:9444/x", "wss://node.example:9444/x" },
		{ "wss://NODE.example/x", "wss://NODE.example:443/x" },
		{ "wss://other.example/x", NULL },
		{ "wss://node.example.evil/", NULL },
		{ "//other.example/x", NULL },
		{ "https://node.example/x", NULL },
		{ "ws://node.example/x", NULL },
		{ "x", NULL },
		{ "", NULL },
		{ "/a b", NULL },
	};
	struct url from;

	cr_assert(url_parse(&from, "wss", "wss://node.example:9443/l2", NULL) == OK);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[URL_TEXT_MAX];
		struct fault fault;
		struct url url;
		err_t err = url_follow(&url, &from, rows[i].location, &fault);

		cr_expect_eq(err == OK, rows[i].want != NULL, "%s", rows[i].location);
		if (err != OK || rows[i].want == NULL)
			continue;
		url_text(&url, text);
		cr_expect_str_eq(text, rows[i].want);
	}
}
