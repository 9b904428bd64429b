/*
 * versions: the latest policies of members and rules of networks that the node was told of, so that
 * a token with earlier ones is refused. What it was told longer ago than any token lives is
 * forgotten. The loop's thread.
 */
#pragma once

#include "lib/token.h"

#include <stdbool.h>
#include <stdint.h>

struct versions;

struct versions *versions_create(void);
void versions_destroy(struct versions *versions); /* NULL is fine */

/* The member or network `id` has that version now. */
void versions_add(struct versions *versions, const char *id, int64_t version, int64_t now_s);

/* Is the token's policy, or are its network's rules, of an earlier version? */
bool versions_refuse(const struct versions *versions, const struct token_claims *claims);
