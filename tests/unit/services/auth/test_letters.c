/* Codes that people type: made of twenty letters, and read in whatever form they come. */
#include "services/auth/letters.h"

#include "lib/mem.h"

#include <criterion/criterion.h>

#include <string.h>

static struct arena *arena;

static void setup(void)
{
	arena = arena_create();
}

static void teardown(void)
{
	arena_destroy(arena);
}

TestSuite(letters, .init = setup, .fini = teardown);

Test(letters, are_random_and_read_back)
{
	const char *one = letters_random(arena, 12), *other = letters_random(arena, 12);

	cr_assert_eq(strlen(one), 12);
	cr_assert_str_neq(one, other);
	cr_assert_str_eq(letters_read(arena, one, 12), one);
}

Test(letters, are_read_as_people_type_them)
{
	static const struct {
		const char *typed, *want;
	} rows[] = {
		{ "BCDF-GHJK", "BCDFGHJK" },
		{ " bcdf ghjk ", "BCDFGHJK" },
		{ "BCDFGHJ", "" },
		{ "BCDFGHJKL", "" },
		{ "BCDFGHJA", "" },
		{ "BCDFGHJ1", "" },
		{ "", "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect_str_eq(
			letters_read(arena, rows[i].typed, 8), rows[i].want, "%s", rows[i].typed);
}
