/*
 * stations: which port has which MAC address, in one network. A hash table of nodes that live in
 * their owners; the hash is seeded at random, so that nobody can choose addresses that collide. The
 * loop's thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct port;

struct station {
	uint64_t mac;
	struct port *port;
	struct station *next; /* stations.buckets */
};

struct stations {
	struct station **buckets; /* a power of two of them, or NULL */
	size_t n_buckets;
	size_t n;
	uint64_t seed;
	int shift; /* leaves as many top bits of a product as n_buckets has */
};

void stations_init(struct stations *stations);
void stations_finish(struct stations *stations); /* must be empty */

/* Adds a node whose MAC is not there yet; keeps it. */
void stations_add(struct stations *stations, struct station *station);
void stations_remove(struct stations *stations, struct station *station);

/* The port with that address; NULL if there is none. */
struct port *stations_find(const struct stations *stations, uint64_t mac);
