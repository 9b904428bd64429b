/* login: where credentials come from, and that they are gone from where others could read them. */
#include "agents/login.h"

#include "lib/mem.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

Test(login, comes_out_of_a_url)
{
	static const struct {
		const char *argument, *url, *secret, *left;
	} rows[] = {
		{ "wss://a/", "wss://a/", "", "wss://a/" },
		{ "wss://u:p@a:1/x", "wss://a:1/x", "u:p", "wss://***@a:1/x" },
		{ "ws://u:p@[::1]/", "ws://[::1]/", "u:p", "ws://***@[::1]/" },
		{ "wss://u%65r:%3a%40%2F@a", "wss://a", "uer::@/", "wss://***************@a" },
		{ "wss://u:p@q@a/", "wss://a/", "u:p@q", "wss://*****@a/" },
		{ "wss://a/x@y", "wss://a/x@y", "", "wss://a/x@y" },
		{ "wss://a?x=y:z@b", "wss://a?x=y:z@b", "", "wss://a?x=y:z@b" },
		{ "wss://u:@a/", "wss://a/", "u:", "wss://**@a/" },
		{ "u:p@a", "a", "u:p", "***@a" },

		{ "wss://u@a/", NULL, NULL, "wss://*@a/" },
		{ "wss://u:%4@a/", NULL, NULL, "wss://****@a/" },
		{ "wss://u:%zz@a/", NULL, NULL, "wss://*****@a/" },
		{ "wss://u:%0a@a/", NULL, NULL, "wss://*****@a/" },
		{ "wss://u:%00@a/", NULL, NULL, "wss://*****@a/" },
		{ "wss://@a/", NULL, NULL, "wss://@a/" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char argument[64], url[64], secret[LOGIN_MAX];
		struct fault fault;
		err_t err;

		snprintf(argument, sizeof(argument), "%s", rows[i].argument);
		err = login_take_from_url(argument, url, sizeof(url), secret, &fault);
		cr_expect_eq(err == OK, rows[i].url != NULL, "%s", rows[i].argument);
		cr_expect_str_eq(argument, rows[i].left);
		if (err != OK || rows[i].url == NULL)
			continue;
		cr_expect_str_eq(url, rows[i].url);
		cr_expect_str_eq(secret, rows[i].secret);
	}
}

Test(login, a_url_that_is_too_long_is_refused)
{
	char argument[] = "wss://u:p@aaaaaaaaaaaaaaaaaaaaaaaaa/", url[16], secret[LOGIN_MAX];
	struct fault fault;

	cr_expect(login_take_from_url(argument, url, sizeof(url), secret, &fault) != OK);
	cr_expect_null(strchr(argument, 'p'));
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	fputs(text, file);
	fclose(file);
}

Test(login, comes_from_a_file_or_the_environment)
{
	char path[] = "/tmp/lanyard-secret-XXXXXX", out[LOGIN_MAX], text[LOGIN_MAX + 2] = "";
	struct fault fault;
	int fd = mkstemp(path);

	close(fd);
	unsetenv("TEST_SECRET");
	cr_expect(login_read("a secret", NULL, "TEST_SECRET", out, &fault) == OK);
	cr_expect_str_eq(out, "");
	setenv("TEST_SECRET", "of the environment", 1);
	cr_expect(login_read("a secret", NULL, "TEST_SECRET", out, &fault) == OK);
	cr_expect_str_eq(out, "of the environment");
	write_file(path, "of the file\nand more\n");
	cr_expect(login_read("a secret", path, "TEST_SECRET", out, &fault) == OK);
	cr_expect_str_eq(out, "of the file");

	memset(text, 'x', LOGIN_MAX);
	for (const char **bad = (const char *[]){ "", "\n", "a\tb", "\xc3\xbc", text, NULL };
		*bad != NULL; bad++) {
		write_file(path, *bad);
		cr_expect(
			login_read("a secret", path, "TEST_SECRET", out, &fault) != OK, "%s", *bad);
	}
	unlink(path);
	cr_expect(login_read("a secret", path, "TEST_SECRET", out, &fault) == ERR_NOT_FOUND);
}

Test(login, becomes_an_authorization)
{
	char out[LOGIN_BASIC_MAX];

	login_basic("Aladdin:open sesame", out);
	cr_expect_str_eq(out, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
	login_basic(":", out);
	cr_expect_str_eq(out, "Basic Og==");
	login_basic("a:", out);
	cr_expect_str_eq(out, "Basic YTo=");
	login_basic("a:b", out);
	cr_expect_str_eq(out, "Basic YTpi");
}
