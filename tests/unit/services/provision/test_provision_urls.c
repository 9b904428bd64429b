/* test_provision_urls: good and bad lists of dataplane URLs. */
#include "services/provision/urls.h"

#include "lib/mem.h"

#include <criterion/criterion.h>

#include <string.h>

static const struct {
	const char *text;
	size_t n; /* 0: refused */
	const char *last;
} cases[] = {
	{ "wss://127.0.0.1:9443/l2", 1, "wss://127.0.0.1:9443/l2" },
	{ "wss://a/l2,wss://b/l2", 2, "wss://b/l2" },
	{ "wss://1,wss://2,wss://3,wss://4,wss://5,wss://6,wss://7,wss://8", 8, "wss://8" },
	{ "wss://1,wss://2,wss://3,wss://4,wss://5,wss://6,wss://7,wss://8,wss://9", 0, NULL },
	{ "", 0, NULL },
	{ "wss://", 0, NULL },
	{ "ws://a/l2", 0, NULL },
	{ "https://a/l2", 0, NULL },
	{ "wss://a/l2,", 0, NULL },
	{ ",wss://a/l2", 0, NULL },
	{ "wss://a/l2, wss://b/l2", 0, NULL },
	{ "wss://a/l 2", 0, NULL },
	{ "wss://a/\xc3\xa4", 0, NULL },
};

Test(urls, init)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct fault fault = { 0 };
		struct urls urls;
		err_t err = urls_init(&urls, cases[i].text, &fault);

		cr_assert_eq(err, cases[i].n > 0 ? OK : ERR_INVALID_ARGUMENT, "%s", cases[i].text);
		cr_assert_eq(urls.n, cases[i].n, "%s", cases[i].text);
		if (err == OK)
			cr_assert_str_eq(urls.list[urls.n - 1], cases[i].last);
		else
			cr_assert_not_null(strstr(fault.detail, "wss://"));
		urls_finish(&urls);
		cr_assert_eq(urls.n, 0);
	}
}
