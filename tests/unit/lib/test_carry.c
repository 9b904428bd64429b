/* carry: characters cut anywhere come out whole, and what is none is replaced. */
#include "lib/carry.h"

#include "lib/mem.h"
#include "lib/utf8.h"

#include <criterion/criterion.h>

#include <string.h>

/* Feeds the text in steps; `out` gets all that comes of it. */
static size_t run(const char *text, size_t len, size_t step, uint8_t *out)
{
	struct carry carry = { 0 };
	size_t n = 0;

	for (size_t at = 0; at < len; at += step) {
		size_t part = len - at < step ? len - at : step;
		size_t next = carry_next(&carry, (const uint8_t *)text + at, part, out + n);

		cr_assert(utf8_valid(out + n, next), "%s at %zu by %zu", text, at, step);
		n += next;
	}
	return n + carry_end(&carry, out + n);
}

Test(carry, any_cuts)
{
	static const struct {
		const char *in, *want;
	} rows[] = {
		{ "plain text of more than eight bytes", "plain text of more than eight bytes" },
		{ "a\xc3\xa4z\xe2\x82\xac\xf0\x9f\x98\x80.",
			"a\xc3\xa4z\xe2\x82\xac\xf0\x9f\x98\x80." },
		{ "\xff"
		  "a",
			"\xef\xbf\xbd"
			"a" },
		{ "\xc3"
		  "a",
			"\xef\xbf\xbd"
			"a" },
		{ "a\xe2\x82", "a\xef\xbf\xbd" },
		{ "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xe0\xa0\x80\xed\x9f\xbf\xf4\x8f\xbf\xbf\xf1\x80\x80\x80",
			"\xe0\xa0\x80\xed\x9f\xbf\xf4\x8f\xbf\xbf\xf1\x80\x80\x80" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (size_t step = 1; step <= strlen(rows[i].in); step++) {
			uint8_t out[512];
			size_t n = run(rows[i].in, strlen(rows[i].in), step, out);

			cr_expect_eq(n, strlen(rows[i].want), "row %zu step %zu: %zu", i, step, n);
			cr_expect_eq(memcmp(out, rows[i].want, n), 0, "row %zu step %zu", i, step);
		}
}

Test(carry, nul_and_controls_are_characters)
{
	static const char text[] = "a\0b\x01";
	uint8_t out[64];

	cr_expect_eq(run(text, sizeof(text), 2, out), sizeof(text));
	cr_expect_arr_eq(out, text, sizeof(text));
}
