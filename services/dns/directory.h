/*
 * directory: every zone and name in memory: what PowerDNS is answered from, so that it is answered
 * without PostgreSQL too. Thread safe: any number of threads read while none writes; `follow` alone
 * writes.
 */
#pragma once

#include "lib/err.h"
#include "services/dns/records.h"

struct directory;

struct directory_key { /* of DNSSEC */
	int id, flags;
	bool active, published;
	const char *content;
};

struct directory_metadata {
	const char *kind;
	const char **values; /* NULL-terminated */
};

/* A zone as the database has it; all text is of one arena, `arena`. */
struct directory_zone {
	struct arena *arena;
	const char *id, *tenant, *name;
	int number;
	bool open, members;
	uint32_t serial, notified;
	struct directory_key *keys;
	size_t n_keys;
	struct directory_metadata *metadata;
	size_t n_metadata;
};

struct directory *directory_create(const struct records_settings *settings); /* kept */
void directory_destroy(struct directory *directory);			     /* NULL is fine */

/* ---- writing, between begin and end ---- */

void directory_begin(struct directory *directory);
void directory_end(struct directory *directory);
void directory_clear(struct directory *directory);

/* Takes the zone or the holding (of one malloc), in place of the one with the same id. */
void directory_put_zone(struct directory *directory, struct directory_zone *zone);
void directory_put(struct directory *directory, struct holding *holding);

/* Forgets the zone or holding with that id, if there is one. */
void directory_remove(struct directory *directory, const char *id);

/* ---- reading ---- */

/* False until the first directory_end: nothing is known yet. */
bool directory_is_ready(struct directory *directory);

/* Adds the records of a name, in any case and with or without its last dot. A name that exists
 * without a record of the type: for ANY, one record of type "". */
void directory_lookup(struct directory *directory, const char *name, struct records *records);

/* Adds all records of a zone, its SOA first and last not. False: no such zone. */
bool directory_list(struct directory *directory, int zone, struct records *records);

/* Copies the zone with that name or (name NULL) that number, or in which the name lies if `inside`,
 * into the arena; NULL: none. */
const struct directory_zone *directory_zone_named(
	struct directory *directory, const char *name, struct arena *arena);
const struct directory_zone *directory_zone_numbered(
	struct directory *directory, int number, struct arena *arena);
const struct directory_zone *directory_zone_around(
	struct directory *directory, const char *name, struct arena *arena);

/* All zones, in the arena; `*n` of them. */
const struct directory_zone **directory_zones(
	struct directory *directory, struct arena *arena, size_t *n);

/* The names with records next to `name` (fully qualified) in the canonical order of the zone; its
 * ends meet. False: no such zone. */
bool directory_neighbours(struct directory *directory, int zone, const char *name,
	char before[DOMAIN_LEN], char after[DOMAIN_LEN]);

struct directory_size {
	size_t zones, holdings, owners;
};
struct directory_size directory_size(struct directory *directory);
