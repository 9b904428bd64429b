/* How settings are read: defaults, types, and the refusal of what is wrong, missing or unknown. */
#include "lib/config.h"
#include "lib/mem.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>

#include <stdint.h>
#include <string.h>

static const char *text, *secret, *endpoint;
static long number;
static bool flag;

static const struct config_entry table[] = {
	{ "LANYARD_TEXT", "default", &text, CONFIG_TEXT, "a text", 0, 0 },
	{ "LANYARD_SECRET", NULL, &secret, CONFIG_SECRET, "a secret", 0, 0 },
	{ "LANYARD_ENDPOINT", "127.0.0.1:80", &endpoint, CONFIG_ENDPOINT, "an endpoint", 0, 0 },
	{ "LANYARD_NUMBER", "7", &number, CONFIG_INT, "a number", 1, 9 },
	{ "LANYARD_FLAG", "false", &flag, CONFIG_BOOL, "a flag", 0, 0 },
	{ NULL, NULL, NULL, CONFIG_TEXT, NULL, 0, 0 },
};
static const struct config_entry *const tables[] = { table, NULL };

static err_t load(const char *extra)
{
	char *environ_list[] = { "PATH=/bin", "LANYARD_SECRET=hush", (char *)(uintptr_t)extra,
		NULL };

	return config_load(tables, environ_list);
}

Test(config, what_is_not_set_has_its_default)
{
	cr_assert(load(NULL) == OK);
	cr_expect_str_eq(text, "default");
	cr_expect_str_eq(secret, "hush");
	cr_expect_eq(number, 7);
	cr_expect(!flag);
}

Test(config, what_is_set_is_read_by_its_type)
{
	char *environ_list[] = { "LANYARD_SECRET=x", "LANYARD_NUMBER=9", "LANYARD_FLAG=true",
		"LANYARD_ENDPOINT=[::1]:443", "LANYARD_TEXT=", NULL };

	cr_assert(config_load(tables, environ_list) == OK);
	cr_expect_eq(number, 9);
	cr_expect(flag);
	cr_expect_str_eq(endpoint, "[::1]:443");
	cr_expect_str_eq(text, "");
}

Test(config, what_is_wrong_is_named_in_one_line, .init = cr_redirect_stderr)
{
	static const struct {
		const char *variable, *line;
	} rows[] = {
		{ "LANYARD_NUMBER=10", "LANYARD_NUMBER: expected a number from 1 to 9\n" },
		{ "LANYARD_NUMBER=3x", "LANYARD_NUMBER: expected a number from 1 to 9\n" },
		{ "LANYARD_NUMBER=", "LANYARD_NUMBER: expected a number from 1 to 9\n" },
		{ "LANYARD_FLAG=yes", "LANYARD_FLAG: expected true or false\n" },
		{ "LANYARD_ENDPOINT=localhost",
			"LANYARD_ENDPOINT: expected ADDRESS:PORT, e.g. 127.0.0.1:8443\n" },
		{ "LANYARD_TEXTS=x",
			"LANYARD_TEXTS: unknown setting; --help lists the known ones\n" },
	};
	char want[1024] = "";

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cr_expect(load(rows[i].variable) == ERR_INVALID_ARGUMENT, "%s", rows[i].variable);
		strcat(want, rows[i].line);
	}
	fflush(stderr);
	cr_assert_stderr_eq_str(want);
}

Test(config, what_is_required_must_be_there, .init = cr_redirect_stderr)
{
	char *missing[] = { NULL };
	char *empty[] = { "LANYARD_SECRET=", NULL };

	cr_expect(config_load(tables, missing) == ERR_INVALID_ARGUMENT);
	cr_expect(config_load(tables, empty) == ERR_INVALID_ARGUMENT);
	fflush(stderr);
	cr_assert_stderr_eq_str("LANYARD_SECRET: required, but not set\n"
				"LANYARD_SECRET: required, but empty\n");
}

Test(config, check_prints_secrets_as_stars, .init = cr_redirect_stdout)
{
	cr_assert(load(NULL) == OK);
	config_print(tables, stdout);
	fflush(stdout);
	cr_assert_stdout_eq_str("LANYARD_TEXT=default\nLANYARD_SECRET=***\n"
				"LANYARD_ENDPOINT=127.0.0.1:80\nLANYARD_NUMBER=7\n"
				"LANYARD_FLAG=false\n");
}
