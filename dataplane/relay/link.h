/*
 * link: a connection between two nodes that carries one client of one of them to its partner on the
 * other. The loop's thread; calls and the connecting run in a thread of its pool.
 *
 * The node that needs a link asks the other one over the bus (Dataplane.OpenLink), which answers
 * with where to connect and with keys that nobody else has seen; everything on the link is sealed
 * with them (lib/sealer.h), so that it needs no certificate.
 */
#pragma once

#include "dataplane/relay/guest.h"
#include "proto/dataplane.pb-c.h"

struct call;
struct links;

err_t links_open(struct links **out, struct dataplane *dataplane, const char *listen) MUST_CHECK;
void links_close(struct links *links);	 /* on the loop; NULL is fine */
void links_destroy(struct links *links); /* when its streams are gone; NULL is fine */

/* ---- the node that asks ---- */

/* All of it is copied. */
struct link_request {
	const char *tenant;
	const char *node, *peer;	   /* where to, and the connection there */
	const char *connection;		   /* whose link it is to be */
	const char *pair;		   /* "": the peer is a tunnel server */
	const char *name, *uuid, *address; /* of the client */
	const char *trunk;		   /* own instance id: it is a trunk; else "" */
};

/* Links the guest with its partner on another node, or has it claim again. */
void link_open(struct dataplane *dataplane, struct guest *guest, const char *pair, const char *node,
	const char *peer);

/* The end that stands for the server; NULL: it is not to be had. It is the callee's to join. */
typedef void link_done(struct dataplane *dataplane, const char *connection, struct relay_end *far);
void link_open_server(
	struct dataplane *dataplane, const struct link_request *request, link_done *done);

/* ---- the node that is asked ---- */

/* Dataplane.OpenLink, on the loop. The reply's texts are in the arena. */
err_t link_offer(struct dataplane *dataplane, struct call *call,
	const Dataplane__OpenLinkRequest *request, Dataplane__Link *reply);
