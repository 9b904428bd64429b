/*
 * refused: remembers wrong credentials for a while, and only them.
 */
#include "dataplane/admit/refused.h"

#include <criterion/criterion.h>
#include <stdio.h>

Test(refused, remembers_for_a_while)
{
	struct refused *refused = refused_create();

	cr_assert_eq(refused_find(refused, "header", "", 0), 0);
	refused_add(refused, "header", "", 401, 1000);
	cr_assert_eq(refused_find(refused, "header", "", 1000), 401);
	cr_assert_eq(refused_find(refused, "header", "", 1000 + REFUSED_KEEP_MS - 1), 401);
	cr_assert_eq(refused_find(refused, "header", "", 1000 + REFUSED_KEEP_MS), 0);
	refused_destroy(refused);
}

Test(refused, tells_headers_and_networks_apart)
{
	struct refused *refused = refused_create();

	refused_add(refused, "header", "office", 403, 0);
	cr_assert_eq(refused_find(refused, "header", "office", 1), 403);
	cr_assert_eq(refused_find(refused, "header", "lab", 1), 0);
	cr_assert_eq(refused_find(refused, "headero", "ffice", 1), 0);
	cr_assert_eq(refused_find(refused, "other", "office", 1), 0);
	refused_destroy(refused);
}

Test(refused, is_bounded_and_keeps_the_newest)
{
	struct refused *refused = refused_create();
	char header[32];

	for (int i = 0; i < 100000; i++) {
		snprintf(header, sizeof(header), "header %d", i);
		refused_add(refused, header, "", 401, i);
		cr_assert_eq(refused_find(refused, header, "", i), 401);
	}
	refused_destroy(refused);
}
