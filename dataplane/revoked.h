/*
 * revoked: from when on the tokens of a subject, or of a member, are refused. An entry is forgotten
 * when every token from before is over anyway. The loop's thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define REVOKED_KEEP_S 3600 /* longer than any token lives */

struct revoked;

struct revoked *revoked_create(void);
void revoked_destroy(struct revoked *revoked); /* NULL is fine */

/* Tokens of `subject` ("device:UUID", "member:UUID") issued before `not_before` are no longer good.
 */
void revoked_add(struct revoked *revoked, const char *subject, int64_t not_before, int64_t now_s);

bool revoked_has(const struct revoked *revoked, const char *subject, int64_t issued_at);
