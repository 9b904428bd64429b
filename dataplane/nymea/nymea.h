/*
 * nymea: the faces for clients of nymea-remoteproxy: pairing by token and nonce (API 0.3, with the
 * framing of 1.x), and the tunnel proxy (API 0.4 to 0.6), each over WebSocket, TCP and a unix
 * socket. The loop's thread.
 */
#pragma once

#include "dataplane/net/crowd.h"
#include "dataplane/net/listener.h"
#include "dataplane/nymea/introspect.h"
#include "dataplane/nymea/settings.h"

#include <stdbool.h>
#include <stdint.h>

#define NYMEA_PORTS 6

struct client;
struct dataplane;
struct tunnel_server;

/* One of the places where clients come in. */
struct nymea_port {
	struct nymea *nymea;
	struct listener *listener;
	enum introspect_port kind;
	bool is_ws, is_tls;
};

struct nymea {
	struct dataplane *dataplane;
	const struct nymea_settings *settings;
	struct identity *identity;
	struct nymea_port ports[NYMEA_PORTS];
	struct client *clients;	       /* hash by connection id */
	struct crowd crowd;	       /* the same, by address */
	struct tunnel_server *servers; /* hash by tenant's server UUID */
	struct authorizer *authorizer; /* NULL: tokens are judged here */
	struct monitor *monitor;
	int n_notifications;
	/* since the start, for the monitor */
	uint64_t total_clients, total_tunnels, total_bytes;
};

/* Opens the doors that are set; errors are logged. On the loop. */
err_t nymea_open(struct nymea **out, struct dataplane *dataplane,
	const struct nymea_settings *settings) MUST_CHECK;

/* Closes the doors: who connects now finds another node. On the loop; NULL is fine. */
void nymea_shut(struct nymea *nymea);

/* Closes the doors, and tells every client that the server stops. On the loop; NULL is fine. */
void nymea_close(struct nymea *nymea);
void nymea_destroy(struct nymea *nymea); /* when all clients are gone; NULL is fine */

/* The number of the next notification: never 0, which clients take for their answer. */
int nymea_next_notification(struct nymea *nymea);
