/* guid: the forms in which clients write UUIDs. */
#include "dataplane/nymea/guid.h"

#include "lib/mem.h"

#include <criterion/criterion.h>

Test(guid, takes_both_forms)
{
	static const char *const good[] = {
		"{33333333-3333-3333-3333-3333333333aB}",
		"33333333-3333-3333-3333-3333333333AB",
	};
	char uuid[UUID_SIZE];

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		cr_expect(guid_parse(good[i], uuid), "%s", good[i]);
		cr_expect_str_eq(uuid, "33333333-3333-3333-3333-3333333333ab");
	}
}

Test(guid, refuses_the_rest)
{
	static const char *const bad[] = {
		"",
		"{}",
		"hello",
		"{33333333-3333-3333-3333-3333333333ab",
		"33333333-3333-3333-3333-3333333333ab}",
		"33333333-3333-3333-3333-3333333333a",
		"33333333-3333-3333-3333-3333333333ag",
		"33333333x3333-3333-3333-3333333333ab",
		"00000000-0000-0000-0000-000000000000",
	};
	char uuid[UUID_SIZE];

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		cr_expect_not(guid_parse(bad[i], uuid), "%s", bad[i]);
}
