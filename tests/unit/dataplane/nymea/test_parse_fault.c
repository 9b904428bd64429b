/* parse_fault: the words of Qt's parser for each kind of broken text. */
#include "dataplane/nymea/parse_fault.h"

#include "lib/mem.h"

#include <criterion/criterion.h>

#include <string.h>

Test(parse_fault, names_the_first_fault)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "", "illegal value" },
		{ "hello", "illegal value" },
		{ "\"text\"", "illegal value" },
		{ "{\"id\":\"1\"", "unterminated object" },
		{ "{\"id\":1", "invalid termination by number" },
		{ "{\"id\":1,\"method\":\"Rem", "unterminated string" },
		{ "{\"id\":", "unterminated object" },
		{ "{\"id\":nul}", "illegal value" },
		{ "{\"id\" 1}", "missing name separator" },
		{ "{\"id\":1,}", "object is missing after a comma" },
		{ "{\"id\":}", "object is missing after a comma" },
		{ "{\"id\":-", "invalid termination by number" },
		{ "{\"id\":x}", "illegal value" },
		{ "{\"a\":\"\\u12x\"}", "invalid escape sequence" },
		{ "{\"a\":\"\xff\"}", "invalid UTF8 string" },
		{ "{\"id\":1}\n{\"id\":2}", "garbage at the end of the document" },
		{ "{}{}", "garbage at the end of the document" },
		{ "[true", "unterminated array" },
		{ "[1 2]", "missing value separator" },
		{ "[1,]", "object is missing after a comma" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect_str_eq(parse_fault(rows[i].text, strlen(rows[i].text)), rows[i].want,
			"%s", rows[i].text);
}

Test(parse_fault, nesting_is_bounded)
{
	size_t len = 1000000;
	AUTO_FREE char *text = xmalloc(len);

	memset(text, '[', len);
	cr_expect_str_eq(parse_fault(text, len), "too deeply nested document");
}
