/*
 * arguments: options become settings, and what is wrong is refused.
 */
#include "lib/arguments.h"
#include "lib/mem.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>

#include <stdlib.h>
#include <string.h>

static const struct argument table[] = {
	{ "tuntap", "DEVICE", "LANYARD_TAP" },
	{ "bridge", NULL, "LANYARD_TAP_BRIDGE" },
	{ "", "ADDRESS", "LANYARD_ADDRESS" },
	{ NULL, NULL, NULL },
};

static err_t read(const struct argument *arguments, enum arguments_mode *mode, const char *line)
{
	char *argv[16] = { "/usr/bin/lanyard-test" };
	AUTO_FREE char *copy = xstrdup(line);
	int argc = 1;

	for (char *word = strtok(copy, " "); word != NULL; word = strtok(NULL, " "))
		argv[argc++] = word;
	return arguments_read(arguments, argc, argv, mode);
}

static const char *setting(const char *name)
{
	const char *value = getenv(name);

	return value != NULL ? value : "(none)";
}

Test(arguments, set_settings)
{
	const struct {
		const char *line;
		enum arguments_mode mode;
		const char *tap, *bridge, *address;
	} rows[] = {
		{ "", ARGUMENTS_RUN, "(none)", "(none)", "(none)" },
		{ "--check", ARGUMENTS_CHECK, "(none)", "(none)", "(none)" },
		{ "--health", ARGUMENTS_HEALTH, "(none)", "(none)", "(none)" },
		{ "--version", ARGUMENTS_VERSION, "(none)", "(none)", "(none)" },
		{ "--tuntap vpn0", ARGUMENTS_RUN, "vpn0", "(none)", "(none)" },
		{ "--tuntap=vpn1 --bridge", ARGUMENTS_RUN, "vpn1", "true", "(none)" },
		{ "--tun vpn2", ARGUMENTS_RUN, "vpn2", "(none)", "(none)" },
		{ "/run/vpn.sock", ARGUMENTS_RUN, "(none)", "(none)", "/run/vpn.sock" },
		{ "--bridge [::1]:90 --check --tuntap vpn0", ARGUMENTS_CHECK, "vpn0", "true",
			"[::1]:90" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		enum arguments_mode mode;

		unsetenv("LANYARD_TAP");
		unsetenv("LANYARD_TAP_BRIDGE");
		unsetenv("LANYARD_ADDRESS");
		cr_assert_eq(read(table, &mode, rows[i].line), OK, "%s", rows[i].line);
		cr_assert_eq(mode, rows[i].mode, "%s", rows[i].line);
		cr_assert_str_eq(setting("LANYARD_TAP"), rows[i].tap);
		cr_assert_str_eq(setting("LANYARD_TAP_BRIDGE"), rows[i].bridge);
		cr_assert_str_eq(setting("LANYARD_ADDRESS"), rows[i].address);
	}
}

Test(arguments, refuse_what_is_not_known, .init = cr_redirect_stderr)
{
	static const char *const lines[] = { "--nonsense", "-x", "--tuntap", "--bridge=yes", "a b",
		"--tuntap a b c" };
	enum arguments_mode mode;

	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		cr_assert_eq(read(table, &mode, lines[i]), ERR_INVALID_ARGUMENT, "%s", lines[i]);
	cr_assert_eq(read(NULL, &mode, "word"), ERR_INVALID_ARGUMENT);
	cr_assert_eq(read(NULL, &mode, "--tuntap vpn0"), ERR_INVALID_ARGUMENT);
	cr_assert_eq(read(NULL, &mode, "--help"), OK);
	cr_assert_eq(mode, ARGUMENTS_HELP);
}

Test(arguments, say_which_word_is_wrong, .init = cr_redirect_stderr)
{
	enum arguments_mode mode;

	cr_assert_eq(read(table, &mode, "--bridge --nonsense --tuntap x"), ERR_INVALID_ARGUMENT);
	fflush(stderr);
	cr_assert_stderr_eq_str(
		"lanyard-test: unknown option --nonsense; --help lists what there is\n");
}

Test(arguments, short_forms_and_fixed_values)
{
	static const struct argument drop_in[] = {
		{ "c|configuration", "FILE", "LANYARD_FILE" },
		{ "m|mock", NULL, "LANYARD_WHO=anyone" },
		{ "d|development", NULL, "" },
		{ NULL, NULL, NULL },
	};
	static const char *const lines[] = { "-c a.conf -m -d",
		"--configuration=a.conf --mock --development", "-mdca.conf" };

	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		enum arguments_mode mode;

		unsetenv("LANYARD_FILE");
		unsetenv("LANYARD_WHO");
		cr_expect_eq(read(drop_in, &mode, lines[i]), OK, "%s", lines[i]);
		cr_expect_eq(mode, ARGUMENTS_RUN);
		cr_expect_str_eq(setting("LANYARD_FILE"), "a.conf", "%s", lines[i]);
		cr_expect_str_eq(setting("LANYARD_WHO"), "anyone", "%s", lines[i]);
	}
}
