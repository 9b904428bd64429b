/* What the shared checks take and what they refuse, and that a refusal names the field. */
#include "lib/check.h"

#include <criterion/criterion.h>

#include <string.h>

struct row {
	const char *text;
	bool good;
};

static void check_rows(const struct row *rows, size_t n,
	err_t (*check)(struct call *call, const char *field, const char *text))
{
	for (size_t i = 0; i < n; i++) {
		struct call call = { .fault = { "", "" } };
		err_t err = check(&call, "name", rows[i].text);

		cr_expect(err == (rows[i].good ? OK : ERR_INVALID_ARGUMENT), "%s: %s", rows[i].text,
			err_name(err));
		cr_expect_str_eq(call.fault.field, rows[i].good ? "" : "name");
	}
}

Test(check, label_is_a_dns_label_in_lower_case)
{
	static const struct row rows[] = {
		{ "a", true },
		{ "office-2", true },
		{ "0", true },
		{ "", false },
		{ "-a", false },
		{ "a-", false },
		{ "A", false },
		{ "a.b", false },
		{ "a_b", false },
		{ "caf\xc3\xa9", false },
		{ "a'; DROP TABLE x; --", false },
		{ "123456789012345678901234567890123456789012345678901234567890123", true },
		{ "1234567890123456789012345678901234567890123456789012345678901234", false },
	};

	check_rows(rows, ARRAY_LEN(rows), check_label);
}

Test(check, uuid_is_canonical)
{
	static const struct row rows[] = {
		{ "01a20ad7-6f5b-7cb8-b8b7-3e09cef5c3e4", true },
		{ "01A20AD7-6f5b-7cb8-b8b7-3e09cef5c3e4", false },
		{ "01a20ad76f5b7cb8b8b73e09cef5c3e4", false },
		{ "01a20ad7-6f5b-7cb8-b8b7-3e09cef5c3e", false },
		{ "01a20ad7-6f5b-7cb8-b8b7-3e09cef5c3e45", false },
		{ "g1a20ad7-6f5b-7cb8-b8b7-3e09cef5c3e4", false },
		{ "", false },
	};

	check_rows(rows, ARRAY_LEN(rows), check_uuid);
}

static err_t text_3_to_8(struct call *call, const char *field, const char *text)
{
	return check_text(call, field, text, 3, 8);
}

Test(check, text_is_utf8_of_some_length_without_control_characters)
{
	static const struct row rows[] = {
		{ "abc", true },
		{ "12345678", true },
		{ "\xe2\x82\xac", true },
		{ "ab", false },
		{ "123456789", false },
		{ "ab\n", false },
		{ "ab\x7f", false },
		{ "a\xc2\x85x", false },
		{ "ab\xff", false },
		{ "\xed\xa0\x80", false },
		{ "a\xc0\x80", false },
		{ "a\xe2\x82", false },
	};

	check_rows(rows, ARRAY_LEN(rows), text_3_to_8);
}

Test(check, word_lists_what_was_expected)
{
	static const char *const words[] = { "active", "blocked", NULL };
	struct call call = { .fault = { "", "" } };

	cr_assert(check_word(&call, "state", "blocked", words) == OK);
	cr_assert(check_word(&call, "state", "Active", words) == ERR_INVALID_ARGUMENT);
	cr_assert_str_eq(call.fault.detail, "expected one of: active, blocked");
}
