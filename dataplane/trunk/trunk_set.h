/* trunk_set: what trunk.c has for trunks.c, and the other way round. */
#pragma once

#include "dataplane/trunk/trunk.h"

void trunks_flush_soon(struct trunks *trunks);

/* A home tells of its other edges. */
void trunks_meet(struct trunks *trunks, const Trunk__Edges *message);

/* Takes the connection, of which there is none yet. */
void trunk_begin(struct trunk *trunk, struct relay_end *far);

void trunk_flush(struct trunk *trunk);

/* Closes a connection that is nobody's. */
void trunk_drop_end(struct relay_end *far);
