/*
 * keyring: a service's own keys, all derived from the one in a file that only it can read, one for
 * each use. Without that file a copy of the database opens nothing. Opened once, before the first
 * thread; then read only.
 */
#pragma once

#include "lib/err.h"
#include "lib/mem.h"

#include <stddef.h>

enum keyring_use {
	KEYRING_API_KEY = 1, /* numbers stay: they are part of the derivation */
	KEYRING_ENROLMENT_KEY = 2,
	KEYRING_DEVICE_SECRET = 3,
	KEYRING_SIGNING_KEY = 4,
	KEYRING_NAME_SECRET = 5,
	KEYRING_ZONE_KEY = 6,
	KEYRING_MAIL = 7,
	KEYRING_CLIENT_SECRET = 8,
	KEYRING_OAUTH_CODE = 9,
	KEYRING_REFRESH_TOKEN = 10,
	KEYRING_DEVICE_CODE = 11,
	KEYRING_SIGN_IN = 12,
	KEYRING_KITE = 13,
	KEYRING_TOTP = 14,
	KEYRING_TYPED_CODE = 15,
	KEYRING_INVITATION = 16,
	KEYRING_BROWSER = 17,
	KEYRING_PROVIDER = 18,
	KEYRING_PROVIDER_VISIT = 19,
	KEYRING_LAST = KEYRING_PROVIDER_VISIT,
};

#define KEYRING_DIGEST_HEX 65 /* with its NUL */

/* Reads the file: 64 hex digits. What is wrong with it is logged. */
err_t keyring_open(const char *path) MUST_CHECK;

/* Keyed digest of a secret, as hex digits. */
void keyring_digest(
	enum keyring_use use, const unsigned char *bytes, size_t len, char hex[KEYRING_DIGEST_HEX]);

/* Encrypts a text; hex digits in the arena. */
const char *keyring_seal(struct arena *arena, enum keyring_use use, const char *text);

/* Undoes it; DATA_LOSS if it was sealed under another key or changed. */
err_t keyring_unseal(
	struct arena *arena, enum keyring_use use, const char *hex, const char **text) MUST_CHECK;
