/*
 * Passwords: what may be set, that hashes fit, and that a crowd is turned away rather than queued.
 */
#include "services/auth/password.h"

#include "lib/mem.h"

#include <criterion/criterion.h>

#include <pthread.h>
#include <string.h>

#define THREADS 16

static struct call call;

static void setup(void)
{
	password_open();
	call_init(&call, NULL, "service:test", 30000);
}

static void teardown(void)
{
	call_finish(&call);
}

TestSuite(password, .init = setup, .fini = teardown);

Test(password, has_12_to_256_bytes_of_text)
{
	char long_one[258];
	static const struct {
		const char *text;
		err_t want;
	} rows[] = {
		{ "", ERR_INVALID_ARGUMENT },
		{ "12345678901", ERR_INVALID_ARGUMENT },
		{ "123456789012", OK },
		{ "aaaaaaaaaaaa", ERR_INVALID_ARGUMENT },
		{ "abcdabcdabcd", ERR_INVALID_ARGUMENT },
		{ "abcdeabcdeab", OK },
		{ "Ann.Of.The.Office", ERR_INVALID_ARGUMENT },
		{ "pässwörter", OK },
		{ "line\nfeed and more", ERR_INVALID_ARGUMENT },
		{ "bad \xff bytes in here", ERR_INVALID_ARGUMENT },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect_eq(password_check(&call, "password", "ann.of.the.office", rows[i].text),
			rows[i].want, "%s", rows[i].text);
	for (size_t i = 0; i < 257; i++)
		long_one[i] = (char)('a' + i % 26);
	long_one[257] = '\0';
	cr_expect_eq(password_check(&call, "password", "", long_one), ERR_INVALID_ARGUMENT);
	long_one[256] = '\0';
	cr_expect_eq(password_check(&call, "password", "", long_one), OK);
}

Test(password, fits_its_hash_only)
{
	char hash[PASSWORD_HASH_LEN], other[PASSWORD_HASH_LEN];
	bool matches;

	cr_assert_eq(password_hash(&call, "correct horse battery", hash), OK);
	cr_assert_eq(password_hash(&call, "correct horse battery", other), OK);
	cr_expect_str_neq(hash, other);
	cr_expect_eq(strncmp(hash, "$argon2id$v=19$m=19456,t=2,p=1$", 31), 0, "%s", hash);
	cr_assert_eq(password_verify(&call, hash, "correct horse battery", &matches), OK);
	cr_expect(matches);
	cr_assert_eq(password_verify(&call, hash, "correct horse batterz", &matches), OK);
	cr_expect_not(matches);
	cr_assert_eq(password_verify(&call, hash, "", &matches), OK);
	cr_expect_not(matches);
	cr_assert_eq(password_verify(&call, NULL, "correct horse battery", &matches), OK);
	cr_expect_not(matches);
}

static void *verify(void *nothing)
{
	struct call own;
	bool matches;
	err_t err;

	(void)nothing;
	call_init(&own, NULL, "service:test", 30000);
	err = password_verify(&own, NULL, "whatever it may be", &matches);
	call_finish(&own);
	return (void *)(uintptr_t)err;
}

Test(password, a_crowd_is_turned_away)
{
	pthread_t threads[THREADS];
	int n[ERR_LAST + 1] = { 0 };

	for (size_t i = 0; i < THREADS; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, verify, NULL), 0);
	for (size_t i = 0; i < THREADS; i++) {
		void *err;

		pthread_join(threads[i], &err);
		n[(uintptr_t)err]++;
	}
	cr_expect_geq(n[OK], 4);
	cr_expect_eq(n[OK] + n[ERR_RESOURCE_EXHAUSTED], THREADS);
}

Test(password, nobody_waits_beyond_the_deadline)
{
	struct call late;
	bool matches = true;

	/* With its time over a call is served only if there is no wait at all. */
	call_init(&late, NULL, "service:test", 0);
	cr_expect_eq(password_verify(&late, NULL, "whatever it may be", &matches), OK);
	cr_expect_not(matches);
	call_finish(&late);
}
