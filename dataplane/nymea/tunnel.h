/*
 * tunnel: the port of the tunnel proxy (API 0.4 to 0.6): a server registers, and its one connection
 * carries many clients, each with an address in SLIP frames (slip.h). The loop's thread.
 */
#pragma once

#include "dataplane/relay/relay.h"

#include <stdbool.h>

struct client;
struct nymea;
struct tunnel_server;

/* Who comes to a server, from here or from another node. */
struct tunnel_visitor {
	const char *name, *uuid, *address;
};

/* The registered server whose connection has that id; NULL if it is not here. */
struct tunnel_server *tunnel_find(struct nymea *nymea, const char *connection);

/* Gives the visitor a place at the server, which is told, and returns the end that stands for it;
 * NULL: all addresses are taken. relay_join it, now or in the same turn. */
struct relay_end *tunnel_enter(struct tunnel_server *server, const struct tunnel_visitor *visitor);

/* The client's connection is gone, whatever it was. */
void tunnel_left(struct client *client);
