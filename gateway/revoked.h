/*
 * revoked: subjects whose earlier tokens are refused, for as long as one of those may still be in
 * use. Thread safe.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct revoked;

struct revoked *revoked_create(void);
void revoked_destroy(struct revoked *revoked); /* NULL is fine */

/* Tokens of `subject` that were issued before `not_before` (Unix seconds) are refused from now on.
 */
void revoked_add(struct revoked *revoked, const char *subject, int64_t not_before);

bool revoked_has(struct revoked *revoked, const char *subject, int64_t issued_at);

/* Forgets what is older than `before`. */
void revoked_prune(struct revoked *revoked, int64_t before);
