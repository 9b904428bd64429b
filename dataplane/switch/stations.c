/*
 * stations: chained hash, doubled when it holds as many nodes as buckets.
 */
#include "dataplane/switch/stations.h"

#include "lib/mem.h"

#include <sodium.h>

#define BUCKETS_MIN 16

/* Multiply-shift with a random odd factor: two given addresses collide with probability
 * 2/n_buckets. */
static size_t bucket_of(const struct stations *stations, uint64_t mac)
{
	uint64_t hash = mac * stations->seed;

	return (size_t)(hash >> 32) & (stations->n_buckets - 1);
}

static void link_node(struct stations *stations, struct station *station)
{
	struct station **bucket = &stations->buckets[bucket_of(stations, station->mac)];

	station->next = *bucket;
	*bucket = station;
}

static void grow(struct stations *stations)
{
	struct station **old = stations->buckets;
	size_t n_old = stations->n_buckets;

	stations->n_buckets = n_old ? n_old * 2 : BUCKETS_MIN;
	stations->buckets = xcalloc(stations->n_buckets, sizeof(struct station *));
	for (size_t i = 0; i < n_old; i++) {
		struct station *next;

		for (struct station *station = old[i]; station; station = next) {
			next = station->next;
			link_node(stations, station);
		}
	}
	free(old);
}

void stations_init(struct stations *stations)
{
	*stations = (struct stations){ 0 };
	randombytes_buf(&stations->seed, sizeof(stations->seed));
	stations->seed |= 1;
}

void stations_finish(struct stations *stations)
{
	if (stations->n != 0)
		BUG("%zu stations left", stations->n);
	free(stations->buckets);
}

void stations_add(struct stations *stations, struct station *station)
{
	if (stations->n == stations->n_buckets)
		grow(stations);
	link_node(stations, station);
	stations->n++;
}

void stations_remove(struct stations *stations, struct station *station)
{
	struct station **slot = &stations->buckets[bucket_of(stations, station->mac)];

	while (*slot != station)
		slot = &(*slot)->next;
	*slot = station->next;
	station->next = NULL;
	stations->n--;
}

struct station *stations_find(const struct stations *stations, uint64_t mac)
{
	struct station *station;

	if (stations->n == 0)
		return NULL;
	station = stations->buckets[bucket_of(stations, mac)];
	while (station && station->mac != mac)
		station = station->next;
	return station;
}
