/* utf8: well-formed and malformed sequences (RFC 3629). */
#include "lib/utf8.h"

#include "lib/mem.h"

#include <criterion/criterion.h>

#include <string.h>

Test(utf8, tells_well_formed_text)
{
	static const struct {
		const char *text;
		bool valid;
	} rows[] = {
		{ "", true },
		{ "plain", true },
		{ "\x01\x7f", true },
		{ "\xc2\x80", true },
		{ "\xdf\xbf", true },
		{ "\xe0\xa0\x80", true },
		{ "\xed\x9f\xbf", true },
		{ "\xee\x80\x80", true },
		{ "\xf0\x90\x80\x80", true },
		{ "\xf4\x8f\xbf\xbf", true },
		{ "gr\xc3\xbc\xc3\x9f", true },
		{ "\x80", false }, /* continues nothing */
		{ "\xc3", false }, /* cut */
		{ "\xe2\x82", false },
		{ "\xf0\x90\x80", false },
		{ "\xc0\xaf", false }, /* over-long */
		{ "\xc1\xbf", false },
		{ "\xe0\x9f\xbf", false },
		{ "\xf0\x8f\xbf\xbf", false },
		{ "\xed\xa0\x80", false }, /* surrogates */
		{ "\xed\xbf\xbf", false },
		{ "\xf4\x90\x80\x80", false }, /* above U+10FFFF */
		{ "\xf5\x80\x80\x80", false },
		{ "\xff", false },
		{ "\xe2\x28\xa1", false },
		{ "ok\xf0\x28\x8c\xbc", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect(utf8_valid((const uint8_t *)rows[i].text, strlen(rows[i].text)) ==
				  rows[i].valid,
			"row %zu", i);
}

Test(utf8, allows_nul)
{
	cr_assert(utf8_valid((const uint8_t *)"a\0b", 3));
}

Test(utf8, copies_whole_printable_characters)
{
	static const struct {
		const char *text, *want; /* in 8 bytes */
	} rows[] = {
		{ "", "" },
		{ "short", "short" },
		{ "just so", "just so" },
		{ "too long", "too lon" },
		{ "abcdef\xc3\xa9", "abcdef" }, /* half of it would fit */
		{ "abcde\xc3\xa9", "abcde\xc3\xa9" },
		{ "abcd\xf0\x9f\x98\x80", "abcd" },
		{ "a\nb\x7f"
		  "c\xc2\x85"
		  "d",
			"a?b?c?d" },
		{ "ab\xff"
		  "cd",
			"ab" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char out[8];

		utf8_copy(out, sizeof(out), rows[i].text);
		cr_expect_str_eq(out, rows[i].want, "row %zu: %s", i, out);
	}
}
