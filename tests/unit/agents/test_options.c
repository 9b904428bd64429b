/* options: which words are understood, and what is said of the others. */
#include "agents/options.h"

#include "lib/mem.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>

#include <stdio.h>
#include <string.h>

static struct {
	const char *name, *file, *url;
	bool loud;
} got;

static const struct option_row option_rows[] = {
	{ "name", "NAME", "a name", &got.name, NULL },
	{ "file", "FILE", "a file", &got.file, NULL },
	{ "loud", NULL, "be loud", NULL, &got.loud },
	{ NULL, NULL, NULL, NULL, NULL },
};
static const struct option_word words[] = { { "URL", &got.url }, { NULL, NULL } };
static const struct option_table table = { "test", "Tests.", "No more.\n", words, option_rows };

Test(options, understands)
{
	static const struct {
		const char *words[6];
		const char *name, *file, *url;
		bool loud;
	} rows[] = {
		{ { "u" }, NULL, NULL, "u", false },
		{ { "--name", "n", "u" }, "n", NULL, "u", false },
		{ { "u", "--name=n", "--loud" }, "n", NULL, "u", true },
		{ { "--name=a=b", "u", "--file", "--loud" }, "a=b", "--loud", "u", false },
		{ { "-" }, NULL, NULL, "-", false },
		{ { "--name", "n", "--name", "m", "u" }, "m", NULL, "u", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int n = 0, status = -1;

		memset(&got, 0, sizeof(got));
		while (n < 6 && rows[i].words[n] != NULL)
			n++;
		cr_assert(options_parse(&table, n, (char **)rows[i].words, &status), "row %zu", i);
		cr_expect_eq(status, -1);
		cr_expect_eq(got.loud, rows[i].loud, "row %zu", i);
		cr_expect_str_eq(got.url, rows[i].url);
		cr_expect_eq(rows[i].name != NULL, got.name != NULL, "row %zu", i);
		if (got.name != NULL)
			cr_expect_str_eq(got.name, rows[i].name);
		if (got.file != NULL)
			cr_expect_str_eq(got.file, rows[i].file);
	}
}

Test(options, refuses)
{
	static const struct {
		const char *words[4];
		const char *says;
	} rows[] = {
		{ { NULL }, "URL is missing" },
		{ { "u", "v" }, "unexpected word 'v'" },
		{ { "--nam", "n", "u" }, "unknown option --nam;" }, /* no abbreviation */
		{ { "--names=n" }, "unknown option --names;" },
		{ { "-n", "u" }, "unknown option -n;" },
		{ { "--" }, "unknown option --;" },
		{ { "--name" }, "--name needs its NAME" },
		{ { "--name=" }, "--name needs its NAME" },
		{ { "--loud=yes" }, "--loud takes no value" },
		{ { "--help=x" }, "unknown option --help;" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char said[256] = "";
		FILE *real = stderr;
		int n = 0, status = -1;

		while (n < 4 && rows[i].words[n] != NULL)
			n++;
		stderr = fmemopen(said, sizeof(said), "w");
		cr_expect(!options_parse(&table, n, (char **)rows[i].words, &status), "row %zu", i);
		fclose(stderr);
		stderr = real;
		cr_expect_eq(status, EXIT_USAGE);
		cr_expect_not_null(strstr(said, rows[i].says), "%s", said);
	}
}

Test(options, helps, .init = cr_redirect_stdout)
{
	int status = -1;

	cr_assert(!options_parse(&table, 1, (char *[]){ "--help" }, &status));
	cr_assert_eq(status, 0);
	fflush(stdout);
	cr_assert_stdout_eq_str("usage: lanyard test [OPTION]... URL\n\nTests.\n\n"
				"  --name NAME          a name\n"
				"  --file FILE          a file\n"
				"  --loud               be loud\n"
				"  --help               print this and exit\n\nNo more.\n");
}

Test(options, takes_words_in_their_order)
{
	const char *tap = NULL, *url = NULL;
	const struct option_word two[] = { { "TAP", &tap }, { "URL", &url }, { NULL, NULL } };
	const struct option_table table_of_two = { "test", "Tests.", "No more.\n", two,
		option_rows };
	int status;

	cr_assert(options_parse(&table_of_two, 4, (char *[]){ "t", "--name", "n", "u" }, &status));
	cr_expect_str_eq(tap, "t");
	cr_expect_str_eq(url, "u");
	cr_redirect_stderr();
	cr_expect(!options_parse(&table_of_two, 1, (char *[]){ "t" }, &status));
	cr_expect(!options_parse(&table_of_two, 3, (char *[]){ "t", "u", "v" }, &status));
	cr_expect_eq(status, EXIT_USAGE);
}
