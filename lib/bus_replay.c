/*
 * bus_replay: see bus_replay.h. Called by lib/bus_seal in any thread.
 *
 * The ring of buckets covers exactly the window: when a bucket's place is wanted for a later span,
 * all that it holds is too old to be accepted again. Should our clock have been set back, a place
 * may hold a later span than the message's: then it is not known whether it was seen, and it is
 * refused.
 */
#include "lib/bus_replay.h"

#include "lib/mem.h"

#define FIRST_SIZE 256

void replay_init(struct replay *replay)
{
	*replay = (struct replay){ 0 };
	if (pthread_mutex_init(&replay->mutex, NULL) != 0)
		BUG("pthread_mutex_init");
}

void replay_finish(struct replay *replay)
{
	for (size_t i = 0; i < ARRAY_LEN(replay->buckets); i++)
		free(replay->buckets[i].slots);
	pthread_mutex_destroy(&replay->mutex);
}

/* The slot of the nonce, or the empty one where it belongs. Nonces are random: no hash is needed.
 */
static uint64_t *slot_of(const struct replay_bucket *bucket, uint64_t nonce)
{
	size_t i = nonce & (bucket->size - 1);

	while (bucket->slots[i] != 0 && bucket->slots[i] != nonce)
		i = (i + 1) & (bucket->size - 1);
	return &bucket->slots[i];
}

static void bucket_grow(struct replay_bucket *bucket)
{
	struct replay_bucket grown = *bucket;

	grown.size = bucket->size != 0 ? 2 * bucket->size : FIRST_SIZE;
	grown.slots = xcalloc(grown.size, sizeof(*grown.slots));
	for (size_t i = 0; i < bucket->size; i++)
		if (bucket->slots[i] != 0)
			*slot_of(&grown, bucket->slots[i]) = bucket->slots[i];
	free(bucket->slots);
	*bucket = grown;
}

static enum replay_verdict bucket_admit(struct replay_bucket *bucket, uint64_t nonce)
{
	uint64_t *slot;

	if (2 * bucket->n >= bucket->size && bucket->n < REPLAY_BUCKET_MAX)
		bucket_grow(bucket);
	slot = slot_of(bucket, nonce);
	if (*slot != 0)
		return REPLAY_SEEN;
	if (bucket->n == REPLAY_BUCKET_MAX)
		return REPLAY_FULL;
	*slot = nonce;
	bucket->n++;
	return REPLAY_NEW;
}

bool replay_fresh(int64_t now_ms, int64_t at_ms)
{
	return at_ms >= 0 && at_ms >= now_ms - REPLAY_WINDOW_MS &&
	       at_ms <= now_ms + REPLAY_WINDOW_MS;
}

enum replay_verdict replay_admit(
	struct replay *replay, int64_t now_ms, int64_t at_ms, uint64_t nonce)
{
	int64_t number = at_ms / REPLAY_BUCKET_MS;
	struct replay_bucket *bucket;
	enum replay_verdict verdict = REPLAY_STALE;

	if (!replay_fresh(now_ms, at_ms))
		return REPLAY_STALE;
	bucket = &replay->buckets[number % REPLAY_N_BUCKETS];
	pthread_mutex_lock(&replay->mutex);
	if (bucket->number < number) {
		free(bucket->slots);
		*bucket = (struct replay_bucket){ .number = number };
	}
	if (bucket->number == number)
		verdict = bucket_admit(bucket, nonce != 0 ? nonce : 1);
	pthread_mutex_unlock(&replay->mutex);
	return verdict;
}
