/* signing: what was signed is believed with its key alone, and as it was. Programs of others judge
 * it in tests/e2e/test_eduvpn_discovery.py. */
#include "agents/instances/signing.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <string.h>

#define TEXT "{\"v\": 1}"

static struct arena *arena;
static struct signing_secret secret;
static struct signing_public public;

static void setup(void)
{
	arena = arena_create();
	cr_assert(sodium_init() >= 0);
	signing_create(&secret);
	cr_assert(signing_public_read(signing_public_minisign(arena, &secret), &public));
}

static void teardown(void)
{
	arena_destroy(arena);
}

TestSuite(signing, .init = setup, .fini = teardown);

Test(signing, keys_are_read_as_they_were_written)
{
	struct signing_secret again;
	struct signing_public plain;

	cr_assert(signing_secret_read(signing_secret_write(arena, &secret), &again));
	cr_expect(eq(int, memcmp(&again, &secret, sizeof(secret)), 0));
	cr_assert(signing_public_read(signing_public_plain(arena, &secret), &plain));
	cr_expect(eq(int, memcmp(plain.key, public.key, sizeof(plain.key)), 0));
	cr_expect(public.has_id && !plain.has_id);
	cr_expect(not(signing_secret_read("lanyard-instances-key:AAAA", &again)));
	cr_expect(not(signing_secret_read("", &again)));
	/* of the developers of eduVPN */
	cr_expect(signing_public_read("E5On0JTtyUVZmcWd+I/FXRm32nSq8R2ioyW7dcu/U88=", &plain));
	cr_expect(signing_public_read(
		"RWRtBSX1alxyGX+Xn3LuZnWUT0w//B6EmTJvgaAxBMYzlQeI+jdrO6KF", &plain));
	cr_expect(not(signing_public_read("E5On0JTtyUVZmcWd+I/FXRm32nSq8R2ioyW7dcu/U8=", &plain)));
	cr_expect(not(signing_public_read("", &plain)));
}

Test(signing, a_detached_signature)
{
	char *good = signing_detached(arena, &secret, TEXT, strlen(TEXT));

	cr_expect(eq(sz, strlen(good), 88));
	cr_expect(eq(ptr, (void *)signing_check_detached(&public, TEXT, strlen(TEXT), good), NULL));
	cr_expect(ne(
		ptr, (void *)signing_check_detached(&public, TEXT, strlen(TEXT) - 1, good), NULL));
	good[0] = good[0] == 'A' ? 'B' : 'A';
	cr_expect(ne(ptr, (void *)signing_check_detached(&public, TEXT, strlen(TEXT), good), NULL));
	cr_expect(ne(ptr, (void *)signing_check_detached(&public, TEXT, strlen(TEXT), ""), NULL));
}

Test(signing, each_byte_of_a_minisig_counts)
{
	char *good = signing_minisign(arena, &secret, TEXT, strlen(TEXT), "timestamp:1\tfile:x");
	size_t from = (size_t)(strchr(good, '\n') - good) + 1;

	cr_assert(eq(ptr, (void *)signing_check_minisign(&public, TEXT, strlen(TEXT), good), NULL));
	for (size_t i = from; i + 1 < strlen(good); i++) {
		char *bad = arena_strdup(arena, good);

		bad[i] = bad[i] == 'A' ? 'B' : 'A';
		cr_expect(ne(ptr, (void *)signing_check_minisign(&public, TEXT, strlen(TEXT), bad),
				  NULL),
			"byte %zu", i);
	}
	for (size_t len = 0; len < strlen(good); len++)
		cr_expect(ne(ptr,
			(void *)signing_check_minisign(
				&public, TEXT, strlen(TEXT), arena_strndup(arena, good, len)),
			NULL));
}
