/*
 * seat: a session of another node as a port of a network whose home is here. It is admitted by its
 * token, as the session was, so that a node can't claim more for its sessions than they have been
 * given. The loop's thread.
 */
#pragma once

#include "dataplane/trunk/trunk.h"

struct place;

/* What the edge tells. */
void seat_join(struct trunk *trunk, const Trunk__Join *message);
void seat_leave(struct trunk *trunk, uint32_t number);
void seat_frame(struct trunk *trunk, uint32_t number, struct packet *frame);
void seat_seen(struct trunk *trunk, const Trunk__Seen *message);

/* All that the edge has been told, again. */
void seats_resync(struct trunk *trunk);

/* The sum of that. */
void seats_tell_digest(struct trunk *trunk);

/* What was dropped since the last time. */
void seats_tell_drops(struct trunk *trunk);

/* How many there are in a network. */
unsigned seats_count(const struct trunk *trunk, const char *tenant, const char *network);

/* Takes away those of a network, or all; the other node is told nothing. The number of them. */
unsigned seats_end(struct trunk *trunk, const char *tenant, const char *network);
void seats_end_all(struct trunk *trunk);
