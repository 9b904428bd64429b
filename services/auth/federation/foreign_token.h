/*
 * foreign_token: access tokens of other eduVPN sites, in the form that those of version 1 sign:
 * base64url(Ed25519 signature | JSON of claims), without padding. Which site it is the one key
 * tells that fits. Any thread.
 */
#pragma once

#include "lib/mem.h"

#include <sodium.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FOREIGN_TOKEN_TEXT_MAX 255 /* bytes of a claim */

struct foreign_key {
	unsigned char bytes[crypto_sign_PUBLICKEYBYTES];
};

struct foreign_token {
	size_t key; /* which one has signed it */
	const char *auth_key, *user_id, *client_id, *scope;
	int64_t expires_at; /* Unix seconds */
};

/* False: none of the keys has signed it, or it is no access token. Its time is not looked at. */
bool foreign_token_read(struct arena *arena, const char *text, const struct foreign_key keys[],
	size_t n_keys, struct foreign_token *token);
