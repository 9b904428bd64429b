/* introspect: each API's answer is what the original server of that version sent, byte for byte. */
#include "dataplane/nymea/introspect.h"

#include "lib/mem.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

static char *recorded(const char *name)
{
	AUTO_FREE char *here = xstrdup(__FILE__);
	AUTO_FREE char *path = NULL;
	char *text = xcalloc(1, 8192);
	FILE *file;

	*strrchr(here, '/') = '\0';
	path = xasprintf("%s/introspect/%s.json", here, name);
	file = fopen(path, "re");
	cr_assert_not_null(file, "%s", path);
	cr_assert_gt(fread(text, 1, 8191, file), 1000);
	fclose(file);
	return text;
}

Test(introspect, answers_as_the_original)
{
	static const struct {
		enum introspect_port port;
		const char *version, *file;
	} rows[] = {
		{ INTROSPECT_PAIRING, "0.3", "pairing-0.3" },
		{ INTROSPECT_PAIRING, "5", "pairing-5" },
		{ INTROSPECT_TUNNEL, "5", "tunnel-5" },
		{ INTROSPECT_TUNNEL, "6", "tunnel-6" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_FREE char *want = recorded(rows[i].file);
		AUTO_FREE char *got = introspect_answer(rows[i].port, rows[i].version, 1);

		cr_expect_str_eq(got, want, "%s", rows[i].file);
	}
}
