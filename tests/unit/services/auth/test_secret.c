/*
 * The text form of machine secrets, and that a digest fits one secret of one kind only.
 */
#include "services/auth/secret.h"

#include <criterion/criterion.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TENANT "0190a000-0000-7000-8000-000000000001"
#define ID     "0190a000-0000-7000-8000-0000000000ff"
#define ZEROS  "00000000-0000-0000-0000-000000000000"

static struct arena *arena;

static void open_keys(const char *hex, err_t want)
{
	char path[] = "/tmp/test_secret.XXXXXX";
	int fd = mkstemp(path);

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, hex, strlen(hex)), (ssize_t)strlen(hex));
	close(fd);
	cr_expect_eq(keyring_open(path), want, "%s", hex);
	unlink(path);
}

static void setup(void)
{
	arena = arena_create();
	open_keys("00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n", OK);
}

static void teardown(void)
{
	arena_destroy(arena);
}

TestSuite(secret, .init = setup, .fini = teardown);

static const struct {
	enum keyring_use kind;
	const char *prefix;
	size_t len;
	const char *tenant, *device;
} kinds[] = {
	{ KEYRING_API_KEY, "lyk_", 90, TENANT, NULL },
	{ KEYRING_ENROLMENT_KEY, "lye_", 90, TENANT, NULL },
	{ KEYRING_DEVICE_SECRET, "lyd_", 47, NULL, ID },
};

Test(secret, is_read_as_it_was_made)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct secret made, read;
		const char *text = secret_create(arena, kinds[i].kind, kinds[i].tenant, ID, &made);

		cr_expect_eq(strlen(text), kinds[i].len);
		cr_expect_eq(strncmp(text, kinds[i].prefix, 4), 0);
		cr_expect_str_eq(made.tenant, kinds[i].tenant ? kinds[i].tenant : ZEROS);
		cr_expect_str_eq(made.id, ID);
		cr_assert(secret_read(kinds[i].kind, text, kinds[i].device, &read));
		cr_expect_str_eq(read.tenant, made.tenant);
		cr_expect_str_eq(read.id, made.id);
		cr_expect(secret_matches(&read, made.digest));
	}
}

Test(secret, is_never_the_same_twice)
{
	struct secret one, other;
	const char *text = secret_create(arena, KEYRING_API_KEY, TENANT, ID, &one);

	cr_expect_str_neq(text, secret_create(arena, KEYRING_API_KEY, TENANT, ID, &other));
	cr_expect_not(secret_matches(&one, other.digest));
}

Test(secret, fits_its_own_kind_only)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct secret made, read;
		const char *text = secret_create(arena, kinds[i].kind, kinds[i].tenant, ID, &made);

		for (size_t j = 0; j < ARRAY_LEN(kinds); j++)
			cr_expect_eq(
				secret_read(kinds[j].kind, text, kinds[j].device, &read), i == j);
	}
}

Test(secret, digest_depends_on_kind_device_and_key)
{
	struct secret made, read;
	const char *text = secret_create(arena, KEYRING_DEVICE_SECRET, NULL, ID, &made);
	const char *key = secret_create(arena, KEYRING_API_KEY, TENANT, ID, &read);
	char *disguised = arena_strdup(arena, key);
	struct secret api_key = read;

	cr_assert(secret_read(KEYRING_DEVICE_SECRET, text, TENANT, &read));
	cr_expect_not(secret_matches(&read, made.digest));
	disguised[2] = 'e';
	cr_assert(secret_read(KEYRING_ENROLMENT_KEY, disguised, NULL, &read));
	cr_expect_not(secret_matches(&read, api_key.digest));
	open_keys("ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n", OK);
	cr_assert(secret_read(KEYRING_DEVICE_SECRET, text, ID, &read));
	cr_expect_not(secret_matches(&read, made.digest));
}

Test(secret, any_change_is_noticed)
{
	struct secret made, read;
	char *text = (char *)(uintptr_t)secret_create(arena, KEYRING_API_KEY, TENANT, ID, &made);

	for (size_t i = 0; text[i]; i++) {
		text[i] ^= 1;
		cr_expect(!secret_read(KEYRING_API_KEY, text, NULL, &read) ||
				  !secret_matches(&read, made.digest),
			"byte %zu", i);
		text[i] ^= 1;
	}
}

Test(secret, garbage_is_refused)
{
	struct secret made, read;
	const char *text = secret_create(arena, KEYRING_API_KEY, TENANT, ID, &made);
	const char *const texts[] = { "", "lyk", "lyk_", "lyk_A", arena_printf(arena, "%sA", text),
		arena_printf(arena, "%s=", text), arena_printf(arena, " %s", text),
		arena_printf(arena, "%.*s", 89, text) };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		cr_expect_not(secret_read(KEYRING_API_KEY, texts[i], NULL, &read), "%s", texts[i]);
	cr_expect_not(secret_matches(&made, ""));
	cr_expect_not(secret_matches(&made, "00"));
}

Test(keyring, opens_what_it_sealed)
{
	const char *sealed, *text = NULL;
	char *changed;

	setup();
	sealed = keyring_seal(arena, KEYRING_SIGNING_KEY, "private");
	cr_expect_not(strstr(sealed, "private"));
	cr_expect_str_neq(sealed, keyring_seal(arena, KEYRING_SIGNING_KEY, "private"));
	cr_assert_eq(keyring_unseal(arena, KEYRING_SIGNING_KEY, sealed, &text), OK);
	cr_expect_str_eq(text, "private");
	cr_expect_eq(keyring_unseal(arena, KEYRING_API_KEY, sealed, &text), ERR_DATA_LOSS);
	cr_expect_eq(keyring_unseal(arena, KEYRING_SIGNING_KEY, "", &text), ERR_DATA_LOSS);
	cr_expect_eq(keyring_unseal(arena, KEYRING_SIGNING_KEY, "zz", &text), ERR_DATA_LOSS);
	changed = arena_strdup(arena, sealed);
	changed[strlen(changed) - 1] ^= 1;
	cr_expect_eq(keyring_unseal(arena, KEYRING_SIGNING_KEY, changed, &text), ERR_DATA_LOSS);
	teardown();
}

Test(keyring, wants_a_file_of_64_hex_digits)
{
	static const char *const wrong[] = { "", "\n", "00", "0x",
		"00112233445566778899aabbccddeeff00112233445566778899aabbccddeef",
		"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff0",
		"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff00\n",
		"00112233445566778899aabbccddeeff00112233445566778899aabbccddeefx" };

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		open_keys(wrong[i], ERR_INVALID_ARGUMENT);
	open_keys("00112233445566778899AABBCCDDEEFF00112233445566778899aabbccddeeff", OK);
	open_keys("00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\r\n", OK);
	cr_expect_eq(keyring_open("/nowhere/at/all"), ERR_INVALID_ARGUMENT);
}
