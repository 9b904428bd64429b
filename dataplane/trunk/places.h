/*
 * places: where each network that has sessions or seats here is at home, by the lease that
 * provision keeps (proto/home.proto). The loop's thread; calls run in a thread of its pool.
 *
 * While that is not known, and while the home can't be reached, the sessions of this node are a
 * network of their own.
 */
#pragma once

#include "dataplane/trunk/trunk.h"

struct dataplane;
struct places;

struct places *places_create(struct trunks *trunks);
void places_destroy(struct places *places); /* NULL is fine */

/* A session has come to the network (1), or has gone (-1). */
void places_session(struct places *places, const char *tenant, const char *network, int by);

/* A seat has; false: this node is not the network's home, nothing was counted. */
bool places_take_seat(struct places *places, const char *tenant, const char *network);
void places_drop_seat(struct places *places, const char *tenant, const char *network);

/* The trunk to the node is open; is not any more, or could not be opened. */
void places_trunk_opened(struct places *places, struct trunk *trunk);
void places_trunk_lost(struct places *places, const char *node);

/* Another node says who the home is. */
void places_moved(struct places *places, const Trunk__Moved *message);

/* The home that was asked is none: ask again. */
void places_doubt(struct places *places, const char *tenant, const char *network);

/* See trunks_await_home. */
bool places_await(
	struct places *places, const char *tenant, const char *network, struct home_wait *wait);

/* The name of the network's home, if that is another node that can be reached; else NULL. */
const char *places_find_home(struct places *places, const char *tenant, const char *network);

/* The node is about to stop: hands its homes over, best to an edge, until that is done, and takes
 * none any more. */
void places_drain(struct places *places);
bool places_draining(const struct places *places);

/* It has none to hand over any more. */
bool places_handed_over(const struct places *places);

/* Each second. */
void places_tick(struct places *places);
