/*
 * trunks: one connection to each other node that this one shares networks with (docs/nodes.md). The
 * loop's thread.
 *
 * A trunk is a link (relay/link.h): sealed with keys that only the two nodes have, asked for over
 * the bus. On it go frames in batches and the control messages of proto/trunk.proto. The node that
 * has a session is an edge of its network, unless it is the network's home.
 */
#pragma once

#include "lib/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct call;
struct dataplane;
struct relay_end;
struct trunks;

struct trunks *trunks_open(struct dataplane *dataplane);
void trunks_close(struct trunks *trunks);   /* on the loop; NULL is fine */
void trunks_destroy(struct trunks *trunks); /* when its links are gone; NULL is fine */

/* The node is about to stop: others are the homes of its networks from now on. On the loop. */
void trunks_drain(struct trunks *trunks);

/* They are now. On the loop. */
bool trunks_drained(const struct trunks *trunks);

/* Who waits for a network's home. */
struct home_wait {
	void (*over)(struct home_wait *wait); /* called once; it is forgotten then */

	/* places.c's own */
	int64_t since_ms;
	TAILQ_ENTRY(home_wait) link; /* place.waits */
};

/* Has the wait told when the home of the network is known, and reached or known to be away; after
 * two to three seconds in any case. Keeps it. False: it is so now, and the wait was not taken. */
bool trunks_await_home(
	struct trunks *trunks, const char *tenant, const char *network, struct home_wait *wait);

/* What the home of the network is called, if that is another node that can be reached; else NULL.
 * It may stand in a path. */
const char *trunks_find_home(const struct trunks *trunks, const char *tenant, const char *network);

/* May a node be called that? */
bool trunks_name_good(const char *name);

/* Another node asks for a trunk: OK, and it may connect; ERR_ALREADY_EXISTS, and we are connecting
 * to it. */
err_t trunks_expect(struct trunks *trunks, struct call *call, const char *node) MUST_CHECK;

/* It has connected; takes the end. */
void trunks_take(struct trunks *trunks, const char *node, struct relay_end *far);
