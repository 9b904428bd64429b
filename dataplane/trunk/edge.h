/*
 * edge: sessions of this node in networks whose home is the node at the other end of a trunk. The
 * loop's thread.
 */
#pragma once

#include "dataplane/trunk/trunk.h"

void edge_init(struct trunk *trunk); /* its uplink */

/* A frame for one of our sessions. */
void edge_deliver(struct trunk *trunk, uint32_t number, struct packet *frame);

/* What the home tells. */
void edge_ended(struct trunk *trunk, const Trunk__Ended *message);
void edge_stations(struct trunk *trunk, const Trunk__Stations *message);
void edge_digest(struct trunk *trunk, const Trunk__Digest *message);
void edge_held(struct trunk *trunk, const Trunk__Held *message);
void edge_dropped(struct trunk *trunk, const Trunk__Dropped *message);

/* Tells which addresses were heard of here only, since `since_ms`. */
void edge_tell_seen(struct trunk *trunk, int64_t since_ms);
