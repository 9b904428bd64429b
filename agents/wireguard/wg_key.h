/*
 * wg_key: the key of a WireGuard server, which never leaves the folder that it is kept in.
 */
#pragma once

#include "lib/err.h"

#define WG_KEY_SIZE 45 /* in Base64, with its NUL */

struct wg_key {
	char secret[WG_KEY_SIZE];
	char public[WG_KEY_SIZE];
};

/* The key that is kept in DIR, or a new one. ERR_INVALID_ARGUMENT: what is kept there is none. */
err_t wg_key_open(const char *dir, struct wg_key *key, struct fault *fault) MUST_CHECK;
