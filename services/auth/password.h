/*
 * password: people's passwords, by argon2id. Hashing is meant to be dear, so only a few run at once
 * and a few more wait for them; beyond that it is RESOURCE_EXHAUSTED at once, and the other workers
 * stay free for other calls. Any thread, after password_open.
 */
#pragma once

#include "lib/call.h"

#include <stdbool.h>

#define PASSWORD_HASH_LEN 128 /* with its NUL */

/* Once, before the first thread. */
void password_open(void);

/* OK if it is one that the user of this name may have: 12 to 256 bytes of text, made of 5 different
 * bytes at least, and not just the name. */
err_t password_check(
	struct call *call, const char *field, const char *user, const char *password) MUST_CHECK;

err_t password_hash(
	struct call *call, const char *password, char hash[PASSWORD_HASH_LEN]) MUST_CHECK;

/* `hash` NULL: there is no such user, which takes as long to find out as a wrong password. */
err_t password_verify(
	struct call *call, const char *hash, const char *password, bool *matches) MUST_CHECK;
