/* That arenas give zeroed, aligned, separate memory of any size. */
#include "lib/mem.h"

#include <criterion/criterion.h>

#include <stdint.h>
#include <string.h>

Test(mem, arena_memory_is_zeroed_aligned_and_apart)
{
	AUTO_ARENA arena = arena_create();
	unsigned char *pieces[200];

	for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
		size_t size = i * i + 1; /* up to ten blocks' worth */

		pieces[i] = arena_alloc(arena, size);
		cr_assert_eq((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
		for (size_t k = 0; k < size; k++)
			cr_assert_eq(pieces[i][k], 0);
		memset(pieces[i], (int)i, size);
	}
	for (size_t i = 0; i < ARRAY_LEN(pieces); i++)
		cr_assert(pieces[i][0] == (unsigned char)i && pieces[i][i * i] == (unsigned char)i);
}

Test(mem, arena_texts)
{
	AUTO_ARENA arena = arena_create();

	cr_expect_str_eq(arena_strdup(arena, "text"), "text");
	cr_expect_str_eq(arena_strndup(arena, "text", 2), "te");
	cr_expect_str_eq(arena_printf(arena, "%s-%d", "a", 7), "a-7");
	cr_expect_str_eq(arena_strdup(arena, ""), "");
}

Test(mem, a_broken_invariant_aborts, .signal = 6)
{
	BUG("on purpose");
}
