/* That one value has one text: no stray bytes, no bits left over, no padding where none belongs. */
#include "lib/base64.h"
#include "lib/mem.h"

#include <criterion/criterion.h>

#include <sodium.h>
#include <string.h>

Test(base64, only_the_exact_text_is_taken)
{
	static const struct {
		const char *text;
		bool good;
	} rows[] = {
		{ "AAEC_w", true },
		{ "AAEC_x", false }, /* bits left over */
		{ "AAEC/w", false },
		{ "AAEC_w==", false },
		{ "AAEC_w ", false },
		{ "AAEC_\xf7", false }, /* 'w' with its highest bit set */
		{ "\xc1"
		  "AEC_w",
			false },
		{ "AAEC_", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		unsigned char out[8];
		size_t len;

		cr_expect_eq(
			base64_decode(rows[i].text, strlen(rows[i].text),
				sodium_base64_VARIANT_URLSAFE_NO_PADDING, out, sizeof(out), &len),
			rows[i].good, "row %zu", i);
	}
}

Test(base64, what_does_not_fit_is_refused)
{
	unsigned char out[3];
	size_t len;

	cr_expect(!base64_decode(
		"AAEC_w", 6, sodium_base64_VARIANT_URLSAFE_NO_PADDING, out, sizeof(out), &len));
}
