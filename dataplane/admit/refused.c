/*
 * refused: a direct-mapped table; the digest's first bytes choose the place.
 */
#include "dataplane/admit/refused.h"

#include "lib/mem.h"

#include <sodium.h>

#include <string.h>

#define PLACES 4096

struct place {
	unsigned char digest[crypto_generichash_BYTES];
	int status;
	int64_t until_ms;
};

struct refused {
	unsigned char key[crypto_generichash_KEYBYTES];
	struct place places[PLACES];
};

static void digest_make(const struct refused *refused, const char *header, const char *network,
	unsigned char digest[crypto_generichash_BYTES])
{
	crypto_generichash_state state;

	crypto_generichash_init(
		&state, refused->key, sizeof(refused->key), crypto_generichash_BYTES);
	crypto_generichash_update(&state, (const unsigned char *)header, strlen(header) + 1);
	crypto_generichash_update(&state, (const unsigned char *)network, strlen(network) + 1);
	crypto_generichash_final(&state, digest, crypto_generichash_BYTES);
}

static size_t place_of(const unsigned char digest[crypto_generichash_BYTES])
{
	return ((size_t)digest[0] << 8 | digest[1]) % PLACES;
}

struct refused *refused_create(void)
{
	struct refused *refused = xcalloc(1, sizeof(*refused));

	crypto_generichash_keygen(refused->key);
	return refused;
}

void refused_destroy(struct refused *refused)
{
	free(refused);
}

void refused_add(struct refused *refused, const char *header, const char *network, int status,
	int64_t now_ms)
{
	unsigned char digest[crypto_generichash_BYTES];
	struct place *place;

	digest_make(refused, header, network, digest);
	place = &refused->places[place_of(digest)];
	memcpy(place->digest, digest, sizeof(digest));
	place->status = status;
	place->until_ms = now_ms + REFUSED_KEEP_MS;
}

int refused_find(
	const struct refused *refused, const char *header, const char *network, int64_t now_ms)
{
	unsigned char digest[crypto_generichash_BYTES];
	const struct place *place;

	digest_make(refused, header, network, digest);
	place = &refused->places[place_of(digest)];
	if (now_ms >= place->until_ms || sodium_memcmp(place->digest, digest, sizeof(digest)) != 0)
		return 0;
	return place->status;
}
