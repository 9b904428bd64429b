/* limit: what a bucket gives, how it fills again, and that many keys never harm an honest one for
 * long. */
#include "gateway/limit.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <string.h>

static const struct {
	const char *key;
	long cost;
	int64_t now_ms;
	int want;
} rows[] = {
	/* rate 10, burst 20 */
	{ "a", 20, 1000, 0 },
	{ "a", 1, 1000, 1 },
	{ "a", 0, 1000, 1 }, /* a question */
	{ "b", 1, 1000, 0 }, /* has its own */
	{ "a", 1, 1099, 1 },
	{ "a", 1, 1101, 0 },
	{ "a", 1, 1101, 1 },
	{ "a", 0, 1300, 0 },
	{ "a", 0, 1300, 0 }, /* a question takes nothing */
	{ "a", 20, 9000, 0 },
	{ "a", 20, 9000, 2 },
	{ "a", 500, 90000, 0 }, /* never more than the burst, or it could never be */
	{ "a", 1, 90000, 1 },
};

Test(limit, bucket)
{
	struct limit *limit = limit_create(10, 20);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int wait_s = limit_take(limit, rows[i].key, rows[i].cost, rows[i].now_ms);

		if (rows[i].want == 0)
			cr_expect(eq(int, wait_s, 0), "row %zu", i);
		else
			cr_expect(ge(int, wait_s, rows[i].want), "row %zu", i);
	}
	limit_destroy(limit);
}

Test(limit, a_busy_key_stays_limited_among_many)
{
	struct limit *limit = limit_create(1, 2);
	int refused = 0;

	for (int i = 0; i < 100000; i++) {
		char key[32];

		snprintf(key, sizeof(key), "stranger-%d", i);
		(void)limit_take(limit, key, 1, 1000 + i / 100);
		if (i % 10 == 0)
			refused += limit_take(limit, "busy", 1, 1000 + i / 100) != 0;
	}
	/* 10000 questions in one second, of which a forgotten bucket now and then lets some pass */
	cr_expect(gt(int, refused, 9000));
	limit_destroy(limit);
}

Test(limit, long_keys_are_cut)
{
	struct limit *limit = limit_create(1, 1);
	char key[200];

	memset(key, 'k', sizeof(key));
	key[sizeof(key) - 1] = '\0';
	cr_expect(eq(int, limit_take(limit, key, 1, 5000), 0));
	cr_expect(ne(int, limit_take(limit, key, 1, 5000), 0));
	limit_destroy(limit);
}
