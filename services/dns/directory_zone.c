/* directory_zone: zones by name, by number, and around a name; and their copies for readers. */
#include "services/dns/directory_internal.h"

#include <string.h>

static const struct directory_zone *zone_find(const struct directory *directory, const char *name)
{
	struct zone *zone;

	HASH_FIND_STR(directory->zones, name, zone);
	return zone != NULL ? zone->at : NULL;
}

const struct directory_zone *directory_around(const struct directory *directory, const char *name)
{
	const struct directory_zone *zone = NULL;

	for (; name != NULL && zone == NULL; name = domain_parent(name))
		zone = zone_find(directory, name);
	return zone;
}

const struct directory_zone *directory_numbered(const struct directory *directory, int number)
{
	struct zone *zone, *next;

	HASH_ITER(hh, directory->zones, zone, next)
	{
		if (zone->at->number == number)
			return zone->at;
	}
	return NULL;
}

static const char **values_copy(struct arena *arena, const char *const *values)
{
	const char **copy;
	size_t n = 0;

	while (values[n] != NULL)
		n++;
	copy = arena_alloc(arena, (n + 1) * sizeof(*copy));
	for (size_t i = 0; i < n; i++)
		copy[i] = arena_strdup(arena, values[i]);
	return copy;
}

static const struct directory_zone *zone_copy(
	const struct directory_zone *zone, struct arena *arena)
{
	struct directory_zone *copy;

	if (zone == NULL)
		return NULL;
	copy = arena_alloc(arena, sizeof(*copy));
	*copy = *zone;
	copy->arena = arena;
	copy->id = arena_strdup(arena, zone->id);
	copy->tenant = arena_strdup(arena, zone->tenant);
	copy->name = arena_strdup(arena, zone->name);
	copy->keys = arena_alloc(arena, (zone->n_keys + 1) * sizeof(*copy->keys));
	for (size_t i = 0; i < zone->n_keys; i++) {
		copy->keys[i] = zone->keys[i];
		copy->keys[i].content = arena_strdup(arena, zone->keys[i].content);
	}
	copy->metadata = arena_alloc(arena, (zone->n_metadata + 1) * sizeof(*copy->metadata));
	for (size_t i = 0; i < zone->n_metadata; i++) {
		copy->metadata[i].kind = arena_strdup(arena, zone->metadata[i].kind);
		copy->metadata[i].values = values_copy(arena, zone->metadata[i].values);
	}
	return copy;
}

void directory_read_begin(struct directory *directory)
{
	pthread_rwlock_rdlock(&directory->lock);
}

void directory_read_end(struct directory *directory)
{
	pthread_rwlock_unlock(&directory->lock);
}

const struct directory_zone *directory_zone_named(
	struct directory *directory, const char *name, struct arena *arena)
{
	const struct directory_zone *copy = NULL;
	char text[DOMAIN_LEN];

	if (!domain_normalise(name, text))
		return NULL;
	directory_read_begin(directory);
	copy = zone_copy(zone_find(directory, text), arena);
	directory_read_end(directory);
	return copy;
}

const struct directory_zone *directory_zone_numbered(
	struct directory *directory, int number, struct arena *arena)
{
	const struct directory_zone *copy;

	directory_read_begin(directory);
	copy = zone_copy(directory_numbered(directory, number), arena);
	directory_read_end(directory);
	return copy;
}

const struct directory_zone *directory_zone_around(
	struct directory *directory, const char *name, struct arena *arena)
{
	const struct directory_zone *copy;
	char text[DOMAIN_LEN];

	if (!domain_normalise(name, text))
		return NULL;
	directory_read_begin(directory);
	copy = zone_copy(directory_around(directory, text), arena);
	directory_read_end(directory);
	return copy;
}

const struct directory_zone **directory_zones(
	struct directory *directory, struct arena *arena, size_t *n)
{
	const struct directory_zone **zones;
	struct zone *zone, *next;

	*n = 0;
	directory_read_begin(directory);
	zones = arena_alloc(arena, (HASH_COUNT(directory->zones) + 1) * sizeof(const void *));
	HASH_ITER(hh, directory->zones, zone, next)
	zones[(*n)++] = zone_copy(zone->at, arena);
	directory_read_end(directory);
	return zones;
}
