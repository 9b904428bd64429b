/*
 * we500_seen: polls that were answered without asking provision, which is told of them in batches:
 * when each device was last seen, and where. A worker of its own. Thread safe.
 */
#pragma once

#include "lib/bus.h"
#include "proto/portal.pb-c.h"

#include <stdbool.h>

void we500_seen_open(struct bus *bus);
void we500_seen_close(void); /* tells what is left */

/* The device of the status polls from `source` now. False: there are too many to be told of. */
bool we500_seen_note(const Provision__PortalStatus *status, const char *source);
