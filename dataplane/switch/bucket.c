/*
 * bucket: what was used flows back with time. In thousandths, so that a millisecond counts at any
 * rate.
 */
#include "dataplane/switch/bucket.h"

#define FULL_MS 3600000 /* longer than any bucket takes; keeps the product in range */

bool bucket_has(struct bucket *bucket, uint32_t rate, uint32_t burst, uint32_t cost, int64_t now_ms)
{
	int64_t passed_ms = now_ms - bucket->at_ms;

	if (passed_ms > FULL_MS)
		passed_ms = FULL_MS;
	bucket->used -= passed_ms * rate;
	if (bucket->used < 0)
		bucket->used = 0;
	bucket->at_ms = now_ms;
	return bucket->used + cost * 1000LL <= burst * 1000LL;
}

void bucket_take(struct bucket *bucket, uint32_t cost)
{
	bucket->used += cost * 1000LL;
}
