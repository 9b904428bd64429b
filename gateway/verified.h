/*
 * verified: access tokens whose signature was found good a moment ago, so that a client that shows
 * the same one again costs a hash and not a verification. A table of fixed size; tokens themselves
 * are not kept, only a keyed digest. Thread safe.
 */
#pragma once

#include "lib/token.h"

#include <stdbool.h>
#include <stdint.h>

struct verified;

struct verified *verified_create(void);
void verified_destroy(struct verified *verified); /* NULL is fine */

/* True if the token was added and is not over at `now_s`; fills its claims. */
bool verified_find(
	struct verified *verified, const char *token, int64_t now_s, struct token_claims *claims);

void verified_add(struct verified *verified, const char *token, const struct token_claims *claims);

/* Forgets all: other keys are good now. */
void verified_clear(struct verified *verified);
