/* wg_dump: what wg tells of peers, whatever strangers have put into it. */
#include "agents/wireguard/wg_dump.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#define KEY	"nmZ5ExqRpLgJV9yWKlaC7KQ7EAN7eRJ4XBz9eHJPmUU="
#define REST(n) "\t(none)\t" n "\t10.9.0.2/32,fd09::2/128\t1700000000\t148\t92\toff\n"

Test(wg_dump, lines_of_peers)
{
	const char *at = KEY REST("192.0.2.1:4000") KEY REST("[2001:db8::1]:4000")
		KEY REST("(none)") KEY "\t(none)\t(none)\t(none)\t0\t0\t0\t25";
	struct wg_dump_line line;

	cr_assert(wg_dump_next(&at, &line));
	cr_expect(eq(str, line.public_key, KEY));
	cr_expect(eq(str, line.seen.source, "192.0.2.1:4000"));
	cr_expect(eq(i64, line.seen.handshake_s, 1700000000));
	cr_expect(eq(u64, line.seen.bytes_in, 148));
	cr_expect(eq(u64, line.seen.bytes_out, 92));
	cr_assert(wg_dump_next(&at, &line));
	cr_expect(eq(str, line.seen.source, "[2001:db8::1]:4000"));
	cr_assert(wg_dump_next(&at, &line));
	cr_expect(eq(str, line.seen.source, ""));
	cr_assert(wg_dump_next(&at, &line));
	cr_expect(eq(i64, line.seen.handshake_s, 0));
	cr_expect(not(wg_dump_next(&at, &line)));
}

Test(wg_dump, what_is_no_line_is_passed_over)
{
	static const char *const texts[] = { "", "\n\n", KEY, KEY "\t\t\t\t\t\t", KEY "x" REST("a"),
		"K Y" REST("a"), KEY "\t(none)\ta\tb\t-1\t0\t0\toff\n",
		KEY "\t(none)\ta\tb\t99999999999999999999\t0\t0\toff\n",
		KEY "\t(none)\ta\tb\t9223372036854775808\t0\t0\toff\n",
		KEY "\t(none)\ta\tb\t1\t\t0\toff\n", KEY "\t(none)\ta\tb\t1\t0\t0\toff\tmore\n" };
	struct wg_dump_line line;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const char *at = texts[i];

		cr_expect(not(wg_dump_next(&at, &line)), "%zu", i);
		cr_expect(eq(chr, *at, '\0'), "%zu", i);
	}
}

Test(wg_dump, a_source_that_is_none)
{
	const char *at = KEY REST("evil\"source") KEY REST(
		"1111111111111111111111111111111111111111111111111111111111111111111111111:1");
	struct wg_dump_line line;

	for (int i = 0; i < 2; i++) {
		cr_assert(wg_dump_next(&at, &line));
		cr_expect(eq(str, line.seen.source, ""));
	}
}
