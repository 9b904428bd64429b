/*
 * directory_internal: what the files of the directory share: directory.c has owners and records,
 * directory_zone.c the zones.
 */
#pragma once

#include "lib/hash.h"
#include "services/dns/directory.h"

#include <pthread.h>

struct place { /* one holding at one owner */
	struct place *next;
	const struct holding *holding;
	enum owner owner;
};

struct node {
	UT_hash_handle hh;
	struct place *places;
	size_t n_below;
	char name[];
};

struct entry {
	UT_hash_handle hh;
	struct holding *holding;
};

struct zone {
	UT_hash_handle hh;
	struct directory_zone *at;
};

struct directory {
	const struct records_settings *settings;
	pthread_rwlock_t lock; /* of all below */
	bool ready;
	struct node *nodes;
	struct entry *entries;
	struct zone *zones;
};

/* Around everything that reads. */
void directory_read_begin(struct directory *directory);
void directory_read_end(struct directory *directory);

/* The zone that a name lies in, or with that number; NULL: none. For as long as nobody writes. */
const struct directory_zone *directory_around(const struct directory *directory, const char *name);
const struct directory_zone *directory_numbered(const struct directory *directory, int number);
