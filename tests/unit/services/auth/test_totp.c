/* Codes of apps: the vectors of RFC 6238 appendix B (SHA-1, its last six digits), and the window.
 */
#include "services/auth/second_factor/totp.h"

#include "lib/mem.h"

#include <criterion/criterion.h>

/* "12345678901234567890" */
#define SECRET "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

Test(totp, makes_the_codes_of_the_rfc)
{
	static const struct {
		long long now_s;
		const char *code;
	} rows[] = {
		{ 59, "287082" },
		{ 1111111109, "081804" },
		{ 1111111111, "050471" },
		{ 1234567890, "005924" },
		{ 2000000000, "279037" },
		{ 20000000000, "353130" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		long long step = 0;

		cr_expect(totp_match(SECRET, rows[i].now_s, rows[i].code, &step));
		cr_expect_eq(step, rows[i].now_s / 30);
	}
}

Test(totp, takes_one_step_before_and_one_after)
{
	static const struct {
		int steps;
		bool want;
	} rows[] = { { -2, false }, { -1, true }, { 0, true }, { 1, true }, { 2, false } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		long long step = 0;

		/* The code is that of 1234567890; the clock is some steps beside. */
		cr_expect_eq(totp_match(SECRET, 1234567890 - rows[i].steps * 30, "005924", &step),
			rows[i].want, "%d", rows[i].steps);
		cr_expect_eq(step, rows[i].want ? 1234567890 / 30 : 0);
	}
}

Test(totp, knows_secrets_and_codes_by_their_form)
{
	static const struct {
		const char *text;
		bool secret, code;
	} rows[] = {
		{ SECRET, true, false },
		{ "K4JMMGO7T4ZR7ROZ", true, false },
		{ "K4JMMGO7T4ZR7RO", false, false },
		{ SECRET "A", false, false },
		{ "K4JMMGO7T4ZR7RO1", false, false },
		{ "k4jmmgo7t4zr7roz", false, false },
		{ "abc", false, false },
		{ "", false, false },
		{ "123456", false, true },
		{ "12345", false, false },
		{ "1234567", false, false },
		{ "12345x", false, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cr_expect_eq(totp_is_secret(rows[i].text), rows[i].secret, "%s", rows[i].text);
		cr_expect_eq(totp_is_code(rows[i].text), rows[i].code, "%s", rows[i].text);
	}
}
