/* The fleet's key file: what is taken, what is refused, and what happens when it changes. */
#include "lib/bus_keys.h"

#include "lib/mem.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define HEX_A "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define HEX_B "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

static const uint8_t id_a[KEY_ID_LEN] = "a";
static const uint8_t id_b[KEY_ID_LEN] = "b";

Test(keys, parse)
{
	static const struct {
		const char *text;
		size_t want; /* keys; 0: refused */
	} rows[] = {
		{ "a:" HEX_A, 1 },
		{ "a:" HEX_A "\n", 1 },
		{ "# the fleet's\n\na:" HEX_A "\r\nb:" HEX_B " \n", 2 },
		{ "2026-11:" HEX_A "\n", 1 },
		{ "12345678:" HEX_A "\n", 1 },
		{ "", 0 },
		{ "# nothing\n", 0 },
		{ "a\n", 0 },
		{ "a:\n", 0 },
		{ ":" HEX_A "\n", 0 },
		{ "123456789:" HEX_A "\n", 0 },
		{ "a b:" HEX_A "\n", 0 },
		{ " a:" HEX_A "\n", 0 },
		{ "a:" HEX_A "00\n", 0 },
		{ "a:00\n", 0 },
		{ "a:x" HEX_A "\n", 0 },
		{ "a: " HEX_A "\n", 0 },
		{ "a:" HEX_A "\nbroken\n", 0 },
		{ "a:" HEX_A "\na:" HEX_B "\n", 0 },
		{ "1:" HEX_A "\n2:" HEX_A "\n3:" HEX_A "\n4:" HEX_A "\n5:" HEX_A "\n6:" HEX_A
		  "\n7:" HEX_A "\n8:" HEX_A "\n",
			8 },
		{ "1:" HEX_A "\n2:" HEX_A "\n3:" HEX_A "\n4:" HEX_A "\n5:" HEX_A "\n6:" HEX_A
		  "\n7:" HEX_A "\n8:" HEX_A "\n9:" HEX_A "\n",
			0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct key_list list = { .n = 99 };
		struct fault fault = { .detail = "" };
		err_t err = key_list_parse(&list, rows[i].text, &fault);

		cr_expect_eq(err, rows[i].want > 0 ? OK : ERR_INVALID_ARGUMENT, "row %zu", i);
		cr_expect_eq(list.n, rows[i].want > 0 ? rows[i].want : 99, "row %zu", i);
		cr_expect_eq(*fault.detail == '\0', rows[i].want > 0, "row %zu", i);
	}
}

Test(keys, first_and_find)
{
	struct key_list list;
	struct fault fault;

	cr_assert_eq(key_list_parse(&list, "a:" HEX_A "\nb:" HEX_B "\n", &fault), OK);
	cr_expect_eq(memcmp(list.keys[0].id, id_a, KEY_ID_LEN), 0);
	cr_expect_eq(list.keys[0].bytes[31], 0x1f);
	cr_expect_eq(memcmp(list.keys[1].id, id_b, KEY_ID_LEN), 0);
	cr_expect_eq(list.keys[1].bytes[0], 0xff);
}

static void file_write(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	cr_assert_not_null(file);
	cr_assert_geq(fputs(text, file), 0);
	fclose(file);
}

/* The file is looked at once a second: makes that second be over. */
static void second_later(struct keyring *keyring)
{
	keyring->checked_ms = 0;
}

Test(keys, file_changes)
{
	char path[] = "/tmp/lanyard-keys-XXXXXX";
	struct keyring keyring;
	struct key key;

	close(mkstemp(path));
	file_write(path, "a:" HEX_A "\n");
	cr_assert_eq(keyring_init(&keyring, path), OK);
	cr_expect_not(keyring_find(&keyring, id_b, &key));

	file_write(path, "b:" HEX_B "\na:" HEX_A "\n");
	second_later(&keyring);
	keyring_first(&keyring, &key);
	cr_expect_eq(memcmp(key.id, id_b, KEY_ID_LEN), 0, "the first seals");
	cr_expect(keyring_find(&keyring, id_a, &key), "all open");

	file_write(path, "half of a li");
	second_later(&keyring);
	cr_expect(keyring_find(&keyring, id_a, &key), "a broken file changes nothing");

	file_write(path, "b:" HEX_B "\n");
	second_later(&keyring);
	cr_expect_not(keyring_find(&keyring, id_a, &key), "what is taken out opens no more");

	unlink(path);
	second_later(&keyring);
	cr_expect(keyring_find(&keyring, id_b, &key), "a file that is gone changes nothing");
	keyring_finish(&keyring);
}

Test(keys, file_refused)
{
	char path[] = "/tmp/lanyard-keys-XXXXXX";
	char large[8192];
	struct keyring keyring;

	cr_expect_eq(keyring_init(&keyring, "/nowhere/fleet.key"), ERR_UNAVAILABLE);
	close(mkstemp(path));
	cr_expect_eq(keyring_init(&keyring, path), ERR_INVALID_ARGUMENT);
	memset(large, '#', sizeof(large));
	large[sizeof(large) - 1] = '\0';
	file_write(path, large);
	cr_expect_eq(keyring_init(&keyring, path), ERR_INVALID_ARGUMENT);
	unlink(path);
}
