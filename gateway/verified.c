/* verified: one slot a digest, the later token of a slot takes it. The digest is computed outside
 * the lock. */
#include "gateway/verified.h"

#include "lib/mem.h"

#include <sodium.h>

#include <pthread.h>
#include <string.h>

#define SLOTS 1024

union digest {
	unsigned char bytes[crypto_generichash_BYTES];
	uint64_t number;
};

struct slot {
	union digest digest;
	struct token_claims claims; /* expires_at 0: the slot is free */
};

struct verified {
	unsigned char key[crypto_generichash_KEYBYTES];
	pthread_mutex_t mutex; /* guards what follows */
	struct slot slots[SLOTS];
};

struct verified *verified_create(void)
{
	struct verified *verified = xcalloc(1, sizeof(*verified));

	crypto_generichash_keygen(verified->key);
	pthread_mutex_init(&verified->mutex, NULL);
	return verified;
}

void verified_destroy(struct verified *verified)
{
	if (verified == NULL)
		return;
	pthread_mutex_destroy(&verified->mutex);
	free(verified);
}

static struct slot *slot_of(struct verified *verified, const char *token, union digest *digest)
{
	crypto_generichash(digest->bytes, sizeof(digest->bytes), (const unsigned char *)token,
		strlen(token), verified->key, sizeof(verified->key));
	return &verified->slots[digest->number % SLOTS];
}

bool verified_find(
	struct verified *verified, const char *token, int64_t now_s, struct token_claims *claims)
{
	union digest digest;
	struct slot *slot = slot_of(verified, token, &digest);
	bool found;

	pthread_mutex_lock(&verified->mutex);
	found = slot->claims.expires_at > now_s &&
		sodium_memcmp(slot->digest.bytes, digest.bytes, sizeof(digest.bytes)) == 0;
	if (found)
		*claims = slot->claims;
	pthread_mutex_unlock(&verified->mutex);
	return found;
}

void verified_add(struct verified *verified, const char *token, const struct token_claims *claims)
{
	union digest digest;
	struct slot *slot = slot_of(verified, token, &digest);

	pthread_mutex_lock(&verified->mutex);
	slot->digest = digest;
	slot->claims = *claims;
	pthread_mutex_unlock(&verified->mutex);
}

void verified_clear(struct verified *verified)
{
	pthread_mutex_lock(&verified->mutex);
	memset(verified->slots, 0, sizeof(verified->slots));
	pthread_mutex_unlock(&verified->mutex);
}
