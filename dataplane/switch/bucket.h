/*
 * bucket: a token bucket: how much of something may happen in a time. Embedded; 0 is a full one.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct bucket {
	int64_t used;  /* of the burst, in thousandths */
	int64_t at_ms; /* when `used` was right */
};

/* Is there room for `cost`, with `rate` a second and `burst` at once? `cost` is at most `burst`. */
bool bucket_has(
	struct bucket *bucket, uint32_t rate, uint32_t burst, uint32_t cost, int64_t now_ms);

void bucket_take(struct bucket *bucket, uint32_t cost);
