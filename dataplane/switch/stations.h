/*
 * stations: which port has which MAC address, in one network. A hash table of nodes that live in
 * their owners; the hash is seeded at random, so that nobody can choose addresses that collide. The
 * loop's thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

struct port;

struct station {
	uint64_t mac;
	struct port *port;
	struct station *next; /* stations.buckets */

	/* learn.c's, of a learned one */
	TAILQ_ENTRY(station) link; /* port.learned */
	int64_t seen_ms;
	int64_t moved_ms; /* when the moves began to be counted */
	unsigned n_moves;
};

TAILQ_HEAD(station_list, station);

struct stations {
	struct station **buckets; /* a power of two of them, or NULL */
	size_t n_buckets;
	size_t n;
	uint64_t seed;
};

void stations_init(struct stations *stations);
void stations_finish(struct stations *stations); /* must be empty */

/* Adds a node whose MAC is not there yet; keeps it. */
void stations_add(struct stations *stations, struct station *station);
void stations_remove(struct stations *stations, struct station *station);

/* The node with that address; NULL if there is none. */
struct station *stations_find(const struct stations *stations, uint64_t mac);
