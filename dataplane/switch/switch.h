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
struct port;
struct switch_ctx;
struct switch_notice;

/* What the member's port may do. */
struct port_policy {
	uint32_t mac_limit; /* source addresses at a time, its own among them; 0 is 1 */
	bool bridge;	    /* a network lies behind it: gets frames for unknown addresses */
	bool isolated;	    /* exchanges frames with ports that are not isolated, only */
	bool dhcp_server;
	bool router;
	bool address_guard; /* speaks ARP and neighbour discovery for its own addresses only */
};

/* What the owner of a port is told. None of these may attach or detach, but `evicted`, which comes
 * when the port is out already. */
struct port_owner {
	void (*evicted)(struct port *port, const char *why);
	void (*notice)(struct port *port, const struct switch_notice *notice); /* or NULL */
	/* It has a source address more or less; or NULL. */
	void (*station)(struct port *port, uint64_t mac, bool has);
};

struct port {
	/* Set by the owner before switch_attach. */
	const struct port_owner *owner; /* NULL: there is nothing to tell it */
	char member[SWITCH_ID_LEN];
	uint64_t mac; /* its own address; 0: that of its first frame */
	struct port_policy policy;
	struct neighbour ipv4, ipv6; /* addresses that the network gave it, or none */
	int64_t began_ms;	     /* when its member has come, in Unix time */
	bool again; /* it has been in the network elsewhere since then: see switch_attach */
	void (*deliver)(
		struct port *port, struct packet *frame); /* must neither attach nor detach */

	void *place; /* the uplink's own */

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

/* Its word in lists of events. */
const char *switch_event_name(enum switch_event event);

/* Why a port is evicted: its member has a later one; another member has its address. */
#define SWITCH_REPLACED "the member has a new session"
#define SWITCH_TAKEN	"another member has this MAC address"

/* Something that an operator may want to know, told to the port's owner. Each port has only some in
 * a while. */
struct switch_notice {
	enum switch_event event;
	struct port *port;
	uint64_t mac;
	const struct port *other; /* or NULL */
	const char *detail;	  /* static text */
	uint32_t n_untold;	  /* notices of the port that were left out before this one */
};

/* Where the ports of a network are decided about when that is not here (docs/nodes.md). It gets the
 * frames, but for those between two ports whose addresses it has told of (switch_put_station). */
struct uplink {
	/* `again`: it has been in the network before. */
	void (*join)(struct uplink *uplink, struct port *port, bool again);
	void (*leave)(struct uplink *uplink, struct port *port);
	enum drop (*forward)(struct uplink *uplink, struct port *from, struct packet *frame);
};

struct switch_ctx *switch_create(void);
void switch_destroy(struct switch_ctx *ctx); /* must have no ports left */

/*
 * Puts the port into a network; keeps it. The member's earlier port is detached and put into
 * `replaced` (NULL if there was none). ERR_ALREADY_EXISTS when another member has the address,
 * ERR_ABORTED when it comes again and the member has a port that began later: nothing was changed.
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

/* ---- networks whose home is another node ---- */

/* Gives the network an uplink in the place of the one that it has; NULL: it is decided about here.
 * All its ports join, and are evicted if two have one address. */
void switch_set_uplink(
	struct switch_ctx *ctx, const char *tenant, const char *network, struct uplink *uplink);

/* The uplink tells: the port has this source address, its `own` or a learned one. */
void switch_put_station(struct port *port, uint64_t mac, bool own);
void switch_drop_station(struct port *port, uint64_t mac);
void switch_drop_stations(struct port *port); /* all of it */

/* The uplink tells: the port is held down. */
void switch_hold(struct port *port, int64_t until_ms);

/* Calls `visit` for each source address of the port; `seen_ms` is when it was last heard of, 0 of
 * its own. */
void switch_visit_stations(const struct port *port,
	void (*visit)(void *context, uint64_t mac, int64_t seen_ms), void *context);

/* The port's learned address was heard of now, if it is still the port's. */
void switch_touch_station(struct port *port, uint64_t mac, int64_t now_ms);
