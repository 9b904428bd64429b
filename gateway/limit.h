/*
 * limit: token buckets, one a key, in a table of fixed size. A stranger who shows many keys can
 * make old buckets forgotten (they start full again), never make the table grow. Thread safe.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define LIMIT_KEY_LEN 64

struct limit;

/* `rate` a second, and `burst` at once. */
struct limit *limit_create(long rate, long burst);
void limit_destroy(struct limit *limit); /* NULL is fine */

/* Takes `cost` from the bucket of `key` (at most LIMIT_KEY_LEN - 1 bytes count); 0, or if there is
 * too little in it the seconds to wait, at least 1. `cost` 0 asks whether there is anything left.
 */
int limit_take(struct limit *limit, const char *key, long cost, int64_t now_ms);
