/* Answers of DNS: what they say, in one part or several, and what is none. */
#include "services/auth/outside/txt.h"

#include "lib/mem.h"

#include <criterion/criterion.h>

#include <string.h>

/* A header of one question and one answer, the question a.b, and the answer's name by pointer. */
#define HEAD	"\x12\x34\x81\x80\0\1\0\1\0\0\0\0"
#define ASKED	"\1a\1b\0\0\x10\0\1"
#define TXT(n)	"\xc0\x0c\0\x10\0\1\0\0\0\x3c\0" n
#define CNAME	"\xc0\x0c\0\5\0\1\0\0\0\x3c\0\2\xc0\x0c"
#define SPAN(s) s, sizeof(s) - 1

Test(txt, answers)
{
	static const struct {
		const char *bytes;
		size_t len;
		bool has;
	} rows[] = {
		{ SPAN(HEAD ASKED TXT("\x9") "\x8"
					     "tenant=x"),
			true },
		{ SPAN(HEAD ASKED TXT("\xa") "\x3"
					     "ten"
					     "\x5"
					     "ant=x"),
			true },
		{ SPAN(HEAD ASKED TXT("\xa") "\x8"
					     "tenant=x"
					     "\0"),
			true },
		{ SPAN(HEAD ASKED TXT("\xa") "\x9"
					     "tenant=xy"),
			false },
		{ SPAN(HEAD ASKED TXT("\x8") "\x7"
					     "tenant="),
			false },
		{ SPAN(HEAD ASKED TXT("\xa") "\x9"
					     "tenant=x\0"),
			false },
		{ SPAN(HEAD ASKED TXT("\x9") "\xff"
					     "tenant=x"),
			false },
		{ SPAN(HEAD ASKED TXT("\x40") "\x8"
					      "tenant=x"),
			false },
		{ SPAN(HEAD ASKED TXT("\0")), false },
		{ SPAN(HEAD ASKED CNAME), false },
		{ SPAN(HEAD ASKED), false },
		{ SPAN(HEAD), false },
		{ SPAN("x"), false },
		{ "", 0, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect_eq(txt_in_answer(
				     (const unsigned char *)rows[i].bytes, rows[i].len, "tenant=x"),
			rows[i].has, "row %zu", i);
}

Test(txt, servers)
{
	static const char *const wrong[] = { "127.0.0.1", "127.0.0.1:", "127.0.0.1:0",
		"127.0.0.1:65536", "127.0.0.1:53x", "localhost:53", "[::1]:53", ":53",
		"1.2.3.4.5.6.7.8.9.0.1.2:53" };

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		cr_expect_not(txt_open(wrong[i]), "%s", wrong[i]);
	cr_expect(txt_open(""));
	cr_expect(txt_open("127.0.0.1:5300"));
}
