/* proxy: whose word counts, and what is no proxy. */
#include "agents/proxy.h"

#include "lib/mem.h"

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

static void forget(void)
{
	for (const char **name = (const char *[]){ "https_proxy", "HTTPS_PROXY", "http_proxy",
		     "HTTP_PROXY", "all_proxy", "ALL_PROXY", "LANYARD_PROXY_CREDENTIALS", NULL };
		*name != NULL; name++)
		unsetenv(*name);
}

static struct proxy proxy;
static struct fault fault;

static bool is(const char *text, const char *want)
{
	return want == NULL ? text == NULL : text != NULL && strcmp(text, want) == 0;
}

Test(proxy, is_of_the_environment, .init = forget)
{
	cr_assert(proxy_read(&proxy, NULL, NULL, &fault) == OK);
	cr_expect(is(proxy_url(&proxy, true), NULL) && is(proxy_url(&proxy, false), NULL));
	setenv("ALL_PROXY", "socks5://c:1", 1);
	cr_expect(is(proxy_url(&proxy, true), "socks5://c:1"));
	setenv("http_proxy", "http://a:1", 1);
	setenv("HTTP_PROXY", "http://evil:1", 1);
	setenv("HTTPS_PROXY", "http://b:1", 1);
	cr_expect(is(proxy_url(&proxy, false), "http://a:1"));
	cr_expect(is(proxy_url(&proxy, true), "http://b:1"));
	setenv("https_proxy", "", 1);
	cr_expect(is(proxy_url(&proxy, true), "http://b:1"));
}

Test(proxy, of_the_command_line_counts_first, .init = forget)
{
	setenv("https_proxy", "http://b:1", 1);
	setenv("LANYARD_PROXY_CREDENTIALS", "u:p", 1);
	cr_assert(proxy_read(&proxy, "socks5://a:1080", NULL, &fault) == OK);
	cr_expect(is(proxy_url(&proxy, true), "socks5h://a:1080"));
	cr_expect_str_eq(proxy.credentials, "u:p");
}

Test(proxy, refuses, .init = forget)
{
	static const char *const rows[] = { "", "a:3128", "http://", "https://a:3128", "ftp://a",
		"http://u:p@a:3128" };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect(proxy_read(&proxy, rows[i], NULL, &fault) == ERR_INVALID_ARGUMENT, "%s",
			rows[i]);
	setenv("https_proxy", "HTTPS://a", 1);
	cr_expect(proxy_read(&proxy, NULL, NULL, &fault) == ERR_INVALID_ARGUMENT);
	cr_expect(proxy_read(&proxy, "http://a:1", NULL, &fault) == OK);
}

Test(proxy, as_text_has_its_credentials, .init = forget)
{
	char text[PROXY_TEXT_MAX];

	cr_assert(proxy_read(&proxy, NULL, NULL, &fault) == OK);
	cr_expect_not(proxy_text(&proxy, true, text));
	setenv("LANYARD_PROXY_CREDENTIALS", "me:p@ss/w:rd%", 1);
	cr_assert(proxy_read(&proxy, "http://a:3128", NULL, &fault) == OK);
	cr_assert(proxy_text(&proxy, true, text));
	cr_expect_str_eq(text, "http://me:p%40ss%2Fw%3Ard%25@a:3128");
	cr_assert(proxy_read(&proxy, NULL, NULL, &fault) == OK);
	setenv("https_proxy", "http://you:secret@b:1", 1);
	cr_assert(proxy_text(&proxy, true, text));
	cr_expect_str_eq(text, "http://you:secret@b:1");
}
