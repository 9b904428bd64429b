/*
 * secret: the text form of machine secrets, and what is kept of them.
 *
 *     lyk_ base64url(tenant 16 bytes | id 16 | secret 32)   an API key
 *     lye_ base64url(tenant 16 bytes | id 16 | secret 32)   an enrolment key
 *     lyd_ base64url(secret 32 bytes)                       a device's; its id is told beside it
 *
 * In the form of an API key's: lyx_ of an OAuth 2 client, lyc_ an authorization code, lyr_ a
 * refresh token, lyo_ a device code, lys_ of a browser that has signed in, lyb_ of one
 * with which its user got in before.
 *
 * No state; any thread.
 */
#pragma once

#include "lib/keyring.h"

#include <stdbool.h>

#define SECRET_ID_LEN 37 /* UUID text with its NUL */

struct secret {
	char tenant[SECRET_ID_LEN]; /* all zeros for a device's: it doesn't name it */
	char id[SECRET_ID_LEN];
	char digest[KEYRING_DIGEST_HEX]; /* what is stored */
};

/* Makes a new secret; returns its text, in the arena. `tenant` is NULL for a device's. */
const char *secret_create(struct arena *arena, enum keyring_use kind, const char *tenant,
	const char *id, struct secret *secret);

/* Reads a secret's text. `device` is the id of a device's secret, a UUID, else NULL. False if the
 * text can't be a secret of this kind. */
bool secret_read(
	enum keyring_use kind, const char *text, const char *device, struct secret *secret);

/* Compares with a stored digest, in constant time. */
bool secret_matches(const struct secret *secret, const char *digest);
