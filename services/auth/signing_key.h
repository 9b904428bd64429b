/*
 * signing_key: the keys that sign access tokens: made, published ahead of their time, replaced, and
 * forgotten when their last token is over. Several instances take turns by a lock in the database.
 */
#pragma once

#include "lib/call.h"

#include <stdint.h>

#define SIGNING_KEY_TOKEN_S	600  /* life of a token */
#define SIGNING_KEY_TOKEN_MAX_S 3600 /* of one that a person allowed an app */

/* The key that signs now. */
struct signing_key {
	const char *private_jwk;
	const char *token_id; /* a new id for a token */
	int64_t now_s;	      /* by the database's clock */
};

/* Once, before the first thread. */
void signing_key_open(long rotation_hours);

/* Makes the first key if there is none; checks that the one in use can be read. */
err_t signing_key_start(struct call *call) MUST_CHECK;

/* The task: makes the next key in time, and forgets old ones. */
err_t signing_key_rotate(struct call *call) MUST_CHECK;

err_t signing_key_current(struct call *call, struct signing_key *key) MUST_CHECK;
