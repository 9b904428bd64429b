/* limit: buckets in sets of WAYS; a new key takes the place of the one in its set that was idle
 * longest. */
#include "gateway/limit.h"

#include "lib/mem.h"

#include <sodium.h>

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define SETS 1024
#define WAYS 8

struct bucket {
	char key[LIMIT_KEY_LEN];
	double level; /* at used_ms */
	int64_t used_ms;
};

struct limit {
	double rate_ms;
	double burst;
	unsigned char seed[crypto_shorthash_KEYBYTES]; /* which set a key is in can't be guessed */
	pthread_mutex_t mutex;			       /* guards what follows */
	struct bucket buckets[SETS][WAYS];
};

struct limit *limit_create(long rate, long burst)
{
	struct limit *limit = xcalloc(1, sizeof(*limit));

	limit->rate_ms = (double)rate / 1000;
	limit->burst = (double)burst;
	crypto_shorthash_keygen(limit->seed);
	pthread_mutex_init(&limit->mutex, NULL);
	return limit;
}

void limit_destroy(struct limit *limit)
{
	if (limit == NULL)
		return;
	pthread_mutex_destroy(&limit->mutex);
	free(limit);
}

/* The key's bucket; a new one is full. */
static struct bucket *bucket_find(
	struct limit *limit, const char key[LIMIT_KEY_LEN], int64_t now_ms)
{
	union {
		unsigned char bytes[crypto_shorthash_BYTES];
		uint64_t number;
	} hash;
	struct bucket *set, *oldest;

	crypto_shorthash(hash.bytes, (const unsigned char *)key, LIMIT_KEY_LEN, limit->seed);
	set = oldest = limit->buckets[hash.number % SETS];
	for (int i = 0; i < WAYS; i++) {
		if (strcmp(set[i].key, key) == 0)
			return &set[i];
		if (set[i].used_ms < oldest->used_ms)
			oldest = &set[i];
	}
	memcpy(oldest->key, key, LIMIT_KEY_LEN);
	oldest->level = limit->burst;
	oldest->used_ms = now_ms;
	return oldest;
}

static double bucket_fill(const struct limit *limit, struct bucket *bucket, int64_t now_ms)
{
	bucket->level += (double)(now_ms - bucket->used_ms) * limit->rate_ms;
	if (bucket->level > limit->burst)
		bucket->level = limit->burst;
	bucket->used_ms = now_ms;
	return bucket->level;
}

int limit_take(struct limit *limit, const char *key, long cost, int64_t now_ms)
{
	char padded[LIMIT_KEY_LEN] = "";
	double wanted = cost > 0 ? fmin((double)cost, limit->burst) : 1;
	struct bucket *bucket;
	double missing;

	snprintf(padded, sizeof(padded), "%s", key);
	pthread_mutex_lock(&limit->mutex);
	bucket = bucket_find(limit, padded, now_ms);
	missing = wanted - bucket_fill(limit, bucket, now_ms);
	if (missing <= 0)
		bucket->level -= cost > 0 ? wanted : 0;
	pthread_mutex_unlock(&limit->mutex);
	return missing <= 0 ? 0 : (int)(missing / limit->rate_ms / 1000) + 1;
}
