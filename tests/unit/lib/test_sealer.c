/* sealer: what one end seals the other one opens, and nothing else in its place. */
#include "lib/sealer.h"

#include "lib/mem.h"

#include <criterion/criterion.h>
#include <string.h>

#define LEN    1000
#define RECORD (LEN + SEALER_TAG_LEN)

static uint8_t secret[SEALER_SECRET_LEN] = { 1, 2, 3 };
static uint8_t text[LEN], plain[LEN], records[3][RECORD];
static struct sealer *one, *other;

static void setup(void)
{
	one = sealer_create(secret, true);
	other = sealer_create(secret, false);
	for (size_t i = 0; i < LEN; i++)
		text[i] = (uint8_t)(i * 7);
	for (size_t i = 0; i < 3; i++) {
		text[0] = (uint8_t)i;
		cr_assert_eq(sealer_seal(one, records[i],
				     (struct iovec[]){ { text, 1 }, { text + 1, LEN - 1 } }, 2),
			RECORD);
	}
}

static void teardown(void)
{
	sealer_destroy(one);
	sealer_destroy(other);
}

TestSuite(sealer, .init = setup, .fini = teardown);

static bool opens(size_t i)
{
	return sealer_open(other, plain, records[i], RECORD);
}

Test(sealer, opens_what_was_sealed_in_its_order)
{
	for (size_t i = 0; i < 3; i++) {
		text[0] = (uint8_t)i;
		cr_assert(opens(i));
		cr_assert_arr_eq(plain, text, LEN);
		cr_assert(memmem(records[i], RECORD, text + 1, 16) == NULL);
	}
}

Test(sealer, refuses_a_record_that_was_left_out_or_comes_again)
{
	static const size_t orders[][2] = { { 0, 0 }, { 0, 2 }, { 1, 0 } };

	for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
		cr_assert(!opens(orders[i][0]) || !opens(orders[i][1]));
		cr_assert_not(opens(1), "it opened a record after one that it refused");
		sealer_destroy(other);
		other = sealer_create(secret, false);
	}
}

Test(sealer, refuses_a_changed_bit_anywhere)
{
	for (size_t bit = 0; bit < 8 * RECORD; bit++) {
		records[0][bit / 8] ^= (uint8_t)(1 << bit % 8);
		cr_assert_not(opens(0), "bit %zu", bit);
		records[0][bit / 8] ^= (uint8_t)(1 << bit % 8);
		sealer_destroy(other);
		other = sealer_create(secret, false);
	}
	cr_assert(opens(0));
}

Test(sealer, refuses_a_record_that_is_cut)
{
	for (size_t len = 0; len < RECORD; len++) {
		cr_assert_not(sealer_open(other, plain, records[0], len));
		sealer_destroy(other);
		other = sealer_create(secret, false);
	}
}

Test(sealer, refuses_what_another_secret_sealed)
{
	for (size_t i = 0; i < SEALER_SECRET_LEN; i++) {
		secret[i]++;
		sealer_destroy(other);
		other = sealer_create(secret, false);
		cr_assert_not(opens(0), "byte %zu of the secret", i);
		secret[i]--;
	}
}

Test(sealer, changes_its_key_at_both_ends)
{
	uint8_t again[RECORD];

	for (size_t i = 0; i < 3; i++)
		cr_assert(opens(i));
	for (size_t i = 3; i < 3 * 65536; i++) {
		size_t len = sealer_seal(one, again, &(struct iovec){ text, 1 }, 1);

		cr_assert(sealer_open(other, plain, again, len), "record %zu", i);
		cr_assert_eq(plain[0], text[0]);
	}
}
