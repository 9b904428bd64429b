/* label: names as people write them. */
#include "agents/expose/label.h"

#include "lib/mem.h"

#include <criterion/criterion.h>

Test(label, is_read_as_a_name)
{
	static const struct {
		const char *text, *label;
	} rows[] = {
		{ "home", "home" },
		{ "  My-House2 \r\n", "my-house2" },
		{ "7", "7" },
		{ "", NULL },
		{ "   ", NULL },
		{ "-a", NULL },
		{ "a-", NULL },
		{ "a.b", NULL },
		{ "a_b", NULL },
		{ "a b", NULL },
		{ "caf\xc3\xa9", NULL },
		{ "<b>", NULL },
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char label[LABEL_SIZE];
		bool fine = label_read(rows[i].text, label);

		cr_expect_eq(fine, rows[i].label != NULL, "'%s'", rows[i].text);
		if (fine)
			cr_expect_str_eq(label, rows[i].label);
	}
}
