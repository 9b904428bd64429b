/* text: what fits into columns, numbers and durations. */
#include "agents/monitor/text.h"

#include "lib/mem.h"

#include <criterion/criterion.h>

#include <locale.h>

Test(monitor_text, fits)
{
	static const struct {
		const char *text;
		unsigned columns;
		const char *want;
	} rows[] = {
		{ "abc", 5, "abc  " },
		{ "abcdef", 3, "abc" },
		{ "", 2, "  " },
		{ "a\x1b[2Jb", 6, "a?[2Jb" }, /* no name speaks to the terminal */
		{ "a\nb\x7f", 4, "a?b?" },
		{ "\xc2\x9b"
		  "x",
			2, "?x" }, /* CSI of one character */
		{ "\xff\xfe"
		  "x",
			3, "??x" },
		{ "Zo\xc3\xab", 4, "Zo\xc3\xab " },
		{ "\xe6\x97\xa5\xe6\x9c\xac", 3, "\xe6\x97\xa5 " }, /* two columns each */
		{ "\xe6\x97", 3, "?? " },
	};

	cr_assert(setlocale(LC_CTYPE, "C.UTF-8"));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char out[32];

		text_fit(out, sizeof(out), rows[i].text, rows[i].columns);
		cr_expect_str_eq(out, rows[i].want, "row %zu: '%s'", i, out);
	}
}

Test(monitor_text, never_over_its_buffer)
{
	char out[4];

	text_fit(out, sizeof(out), "abcdefgh", 8);
	cr_expect_lt(strlen(out), sizeof(out));
	text_fit(out, sizeof(out), "", 8);
	cr_expect_str_eq(out, "   ");
}

Test(monitor_text, only_ascii_where_the_locale_has_no_more)
{
	char out[16];

	setlocale(LC_CTYPE, "C");
	text_fit(out, sizeof(out), "Zo\xc3\xab", 5);
	cr_expect_str_eq(out, "Zo?? ");
}

Test(monitor_text, bytes)
{
	static const struct {
		uint64_t bytes;
		const char *want;
	} rows[] = { { 0, "0 B" }, { 999, "999 B" }, { 1000, "1.00 kB" }, { 12345, "12.3 kB" },
		{ 999499, "999 kB" }, { 999500, "1.00 MB" }, { 1210000, "1.21 MB" },
		{ UINT64_MAX, "18.4 EB" } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char out[TEXT_SHORT];

		text_bytes(out, rows[i].bytes);
		cr_expect_str_eq(out, rows[i].want);
	}
}

Test(monitor_text, durations)
{
	static const struct {
		int64_t seconds;
		const char *want;
	} rows[] = { { -5, "00:00:00" }, { 59, "00:00:59" }, { 3661, "01:01:01" },
		{ 86399, "23:59:59" }, { 86400, "1 d 0 h" }, { 100000, "1 d 3 h" } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char out[TEXT_SHORT];

		text_duration(out, rows[i].seconds);
		cr_expect_str_eq(out, rows[i].want);
	}
}

Test(monitor_text, times)
{
	cr_expect_eq(text_time("2026-03-01T12:00:00Z"), 1772366400);
	cr_expect_eq(text_time("2026-03-01T12:00:00"), 0);
	cr_expect_eq(text_time(""), 0);
}
