/*
 * live: the connections of pairs and tunnels that this node holds, for the API: who they are, and
 * how much they carry. Rates are those of the last whole second. The loop's thread.
 */
#pragma once

#include "lib/mem.h"
#include "proto/dataplane.pb-c.h"

#define LIVE_LIST_MAX 500 /* in one reply: it has to fit into a message of the bus */

struct dataplane;
struct live;

/* Begins to measure. On the loop. */
struct live *live_open(struct dataplane *dataplane);
void live_close(struct live *live);   /* on the loop; NULL is fine */
void live_destroy(struct live *live); /* when the loop has ended; NULL is fine */

/* Connections of the tenant (CALL_FLEET: of all), in the order of ids; texts are in the arena. */
void live_list(const struct live *live, const char *tenant,
	const Dataplane__ListConnectionsRequest *request, struct arena *arena,
	Dataplane__ConnectionList *list);
