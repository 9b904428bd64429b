/*
 * ways: to the clients of a routed server (mode tun), by the addresses that the portal gave them.
 * The loop's thread.
 */
#pragma once

#include "agents/lan/routed.h"
#include "agents/openvpn/clients.h"

/* With a `routed` that is all zero (mode tap, or not up yet) there are none, and these do nothing.
 */
void ways_add(struct routed *routed, const struct client *client);

/* The client is gone: unless a newer connection has its addresses by now. */
void ways_remove(struct routed *routed, const struct clients *clients, const struct client *client);

/* Sets up an uplink that has come, or come again, with all of them. */
void ways_keep(struct routed *routed, const struct clients *clients);
