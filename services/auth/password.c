/* password: see password.h. */
#include "services/auth/password.h"

#include "lib/check.h"
#include "lib/mem.h"

#include <sodium.h>

#include <errno.h>
#include <semaphore.h>
#include <string.h>
#include <time.h>

_Static_assert(PASSWORD_HASH_LEN == crypto_pwhash_STRBYTES, "size of a hash");

/* What OWASP asks for argon2id at least: 19 MiB, 2 passes. */
#define MEMORY	      (19 * 1024 * 1024)
#define PASSES	      2
#define RUNNING_MAX   2
#define WAITING_MAX   2
#define MAX_LEN	      256
#define MIN_LEN	      12
#define MIN_DIFFERENT 5

static struct {
	sem_t running;
	sem_t admitted;			 /* running or waiting */
	char nobodys[PASSWORD_HASH_LEN]; /* compared with for users that are not there */
} passwords;

static void hash_now(const char *password, char hash[PASSWORD_HASH_LEN])
{
	if (crypto_pwhash_str_alg(hash, password, strlen(password), PASSES, MEMORY,
		    crypto_pwhash_ALG_ARGON2ID13) != 0)
		BUG("no memory for argon2id");
}

void password_open(void)
{
	char password[33] = "";

	sem_init(&passwords.running, 0, RUNNING_MAX);
	sem_init(&passwords.admitted, 0, RUNNING_MAX + WAITING_MAX);
	for (size_t i = 0; i < sizeof(password) - 1; i++)
		password[i] = (char)('!' + randombytes_uniform('~' - '!'));
	hash_now(password, passwords.nobodys);
}

static size_t count_different(const char *text)
{
	bool seen[256] = { false };
	size_t n = 0;

	for (; *text != '\0'; text++) {
		n += !seen[(unsigned char)*text];
		seen[(unsigned char)*text] = true;
	}
	return n;
}

err_t password_check(struct call *call, const char *field, const char *user, const char *password)
{
	err_t err = check_text(call, field, password, MIN_LEN, MAX_LEN);

	if (err != OK)
		return err;
	if (count_different(password) < MIN_DIFFERENT)
		return call_refuse(call, ERR_INVALID_ARGUMENT, field,
			"expected at least %d different characters", MIN_DIFFERENT);
	if (strcasecmp(password, user) == 0)
		return call_refuse(call, ERR_INVALID_ARGUMENT, field,
			"expected something else than the user's name");
	return OK;
}

/* Waits for its turn; password_done must follow. */
static err_t password_turn(struct call *call)
{
	struct timespec until = { call->deadline_ms / 1000, call->deadline_ms % 1000 * 1000000 };
	int failed;

	if (sem_trywait(&passwords.admitted) != 0)
		return call_refuse(call, ERR_RESOURCE_EXHAUSTED, NULL,
			"too many passwords at once; try again in a moment");
	/* The clock of call.deadline_ms. */
	do
		failed = sem_clockwait(&passwords.running, CLOCK_MONOTONIC, &until);
	while (failed && errno == EINTR);
	if (!failed)
		return OK;
	sem_post(&passwords.admitted);
	return call_refuse(call, ERR_RESOURCE_EXHAUSTED, NULL,
		"too many passwords at once; try again in a moment");
}

static void password_done(void)
{
	sem_post(&passwords.running);
	sem_post(&passwords.admitted);
}

err_t password_hash(struct call *call, const char *password, char hash[PASSWORD_HASH_LEN])
{
	err_t err = password_turn(call);

	if (err != OK)
		return err;
	hash_now(password, hash);
	password_done();
	return OK;
}

err_t password_verify(struct call *call, const char *hash, const char *password, bool *matches)
{
	size_t len = strnlen(password, MAX_LEN + 1);
	err_t err = password_turn(call);

	if (err != OK)
		return err;
	*matches = crypto_pwhash_str_verify(hash ? hash : passwords.nobodys, password, len) == 0 &&
		   hash && len <= MAX_LEN;
	password_done();
	return OK;
}
