/*
 * revoked: from when on the tokens of a subject are refused, for as long as an earlier one may
 * still be in use. What gateway and dataplane make of the events "revoked" and "member". Thread
 * safe.
 */
#pragma once

#include "lib/token.h"

#include <stdbool.h>
#include <stdint.h>

struct revoked;

struct revoked *revoked_create(void);
void revoked_destroy(struct revoked *revoked); /* NULL is fine */

/* Tokens of `subject` ("device:UUID", "member:UUID", "authorization:UUID", "tenant:UUID") that were
 * issued before `not_before` (Unix seconds) are refused from now on. */
void revoked_add(struct revoked *revoked, const char *subject, int64_t not_before);

bool revoked_has(struct revoked *revoked, const char *subject, int64_t issued_at);

/* Is the token refused: by its subject, member or authorization, or with all others of its tenant?
 */
bool revoked_has_token(struct revoked *revoked, const struct token_claims *claims);

/* Does a revocation of `name` mean this subject of this tenant (a UUID)? */
bool revoked_means(const char *name, const char *subject, const char *tenant);

/* Forgets what is older than `before`. */
void revoked_prune(struct revoked *revoked, int64_t before);
