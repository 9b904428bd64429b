/*
 * switch: networks, their ports, and where each frame goes. Pure logic: it sees neither sockets nor
 * tokens nor clocks. The loop's thread.
 *
 * A network of a tenant is one broadcast domain; it exists while it has ports. A port belongs to
 * one member, sends with that member's address and, as far as its policy says, with those of
 * stations behind it. Ports are reached through their own network alone, so no frame can leave it.
 */
#pragma once

#include "lib/frames/packet.h"
#include "dataplane/switch/bucket.h"
#include "dataplane/switch/drops.h"
#include "dataplane/switch/neighbours.h"
#include "dataplane/switch/stations.h"
#include "lib/err.h"
#include "lib/hash.h"

#include <stdbool.h>

#define SWITCH_ID_LEN 37 /* UUID text with its NUL */

struct domain;
struct switch_ctx;

/* What the member's port may do. */
struct port_policy {
	uint32_t mac_limit; /* source addresses at a time, its own among them; 0 is 1 */
	bool bridge;	    /* a network lies behind it: gets frames for unknown addresses */
	bool isolated;	    /* exchanges frames with ports that are not isolated, only */
	bool dhcp_server;
	bool router;
	bool address_guard; /* speaks ARP and neighbour discovery for its own addresses only */
};

struct port {
	/* Set by the owner before switch_attach. */
	char member[SWITCH_ID_LEN];
	uint64_t mac; /* its own address; 0: that of its first frame */
	struct port_policy policy;
	struct neighbour ipv4, ipv6; /* addresses that the network gave it, or none */
	void (*deliver)(
		struct port *port, struct packet *frame); /* must neither attach nor detach */

	/* the switch's own */
	struct domain *domain;	     /* NULL: not attached */
	struct station own;	     /* domain.stations, while it has a mac */
	struct station_list learned; /* the one learned first comes first */
	uint32_t n_learned;
	TAILQ_ENTRY(port) bridge_link; /* domain.bridges */
	struct bucket flood_frames, flood_bytes, notices;
	uint32_t n_untold;   /* notices since the last one */
	int64_t returned_ms; /* when n_returned began to be counted */
	unsigned n_returned; /* frames of other ports that came back through this one */
	int64_t held_until_ms;
	UT_hash_handle hh; /* domain.ports */
};

/* What holds for all ports of a network. */
struct switch_rules {
	int64_t version;
	bool no_broadcast, no_multicast;    /* such frames reach bridges only */
	uint32_t storm_frames, storm_bytes; /* flooded from one port in a second; 0: no limit */
};

enum switch_event {
	SWITCH_STATION_LEARNED,
	SWITCH_STATION_MOVED,	/* from the port `other` */
	SWITCH_STATION_REFUSED, /* `other` has it, or the port has no room for more */
	SWITCH_GUARD,		/* a frame that the port's policy does not allow */
	SWITCH_STORM,
	SWITCH_LOOP, /* the port is held down */
};

/* Something that an operator may want to know. Each port has only some in a while. */
struct switch_notice {
	enum switch_event event;
	struct port *port;
	uint64_t mac;
	const struct port *other; /* or NULL */
	const char *detail;	  /* static text */
	uint32_t n_untold;	  /* notices of the port that were left out before this one */
};

typedef void switch_notify(void *context, const struct switch_notice *notice);

/* `notify` may be NULL; it must neither attach nor detach. */
struct switch_ctx *switch_create(switch_notify *notify, void *context);
void switch_destroy(struct switch_ctx *ctx); /* must have no ports left */

/*
 * Puts the port into a network; keeps it. The member's earlier port is detached and put into
 * `replaced` (NULL if there was none). ERR_ALREADY_EXISTS when another member has the address:
 * nothing was changed.
 */
err_t switch_attach(struct switch_ctx *ctx, const char *tenant, const char *network,
	struct port *port, struct port **replaced) MUST_CHECK;

/* Takes the port out, if it is in. */
void switch_detach(struct switch_ctx *ctx, struct port *port);

/* Gives the network its rules, if it is there and has none of a later version. */
void switch_set_rules(struct switch_ctx *ctx, const char *tenant, const char *network,
	const struct switch_rules *rules);

/* Forwards a frame that came in through an attached port; why not, if it goes nowhere. Time is
 * clock_ms(), of the batch. */
enum drop switch_forward(struct port *from, struct packet *frame, int64_t now_ms);

/* How many source addresses the port has now. */
size_t switch_count_stations(struct port *port, int64_t now_ms);
