/*
 * stations: finding, removing and growing; and that chosen addresses do not pile up in one bucket.
 */
#include "dataplane/switch/stations.h"

#include <criterion/criterion.h>

enum { MANY = 10000 };

static struct station nodes[MANY];

static struct port *port_of(int i)
{
	return (struct port *)&nodes[i]; /* only compared, never looked into */
}

static void add_many(struct stations *stations, int shift)
{
	for (int i = 0; i < MANY; i++) {
		nodes[i] =
			(struct station){ .mac = (uint64_t)(i + 1) << shift, .port = port_of(i) };
		stations_add(stations, &nodes[i]);
	}
}

static void remove_all(struct stations *stations)
{
	for (int i = 0; i < MANY; i++)
		if (stations_find(stations, nodes[i].mac))
			stations_remove(stations, &nodes[i]);
	stations_finish(stations);
}

Test(stations, finds_what_was_added_and_not_what_was_removed)
{
	struct stations stations;

	stations_init(&stations);
	cr_assert_null(stations_find(&stations, 1));
	add_many(&stations, 0);
	for (int i = 0; i < MANY; i += 2)
		stations_remove(&stations, &nodes[i]);
	for (int i = 0; i < MANY; i++)
		cr_assert_eq(stations_find(&stations, nodes[i].mac), i % 2 ? &nodes[i] : NULL);
	cr_assert_null(stations_find(&stations, MANY + 1));
	remove_all(&stations);
}

Test(stations, spreads_addresses_that_differ_in_any_byte)
{
	for (int shift = 0; shift <= 32; shift += 8) {
		struct stations stations;
		size_t longest = 0;

		stations_init(&stations);
		add_many(&stations, shift);
		for (size_t i = 0; i < stations.n_buckets; i++) {
			size_t len = 0;

			for (struct station *node = stations.buckets[i]; node; node = node->next)
				len++;
			longest = len > longest ? len : longest;
		}
		cr_assert_lt(longest, MANY / 10, "chain of %zu at shift %d", longest, shift);
		remove_all(&stations);
	}
}
