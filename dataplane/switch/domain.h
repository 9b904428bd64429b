/*
 * domain: one network, as the files of the switch share it; the outside sees switch.h only.
 */
#pragma once

#include "dataplane/switch/switch.h"

struct domain_key {
	char tenant[SWITCH_ID_LEN];
	char network[SWITCH_ID_LEN];
};

TAILQ_HEAD(port_list, port);

struct domain {
	struct domain_key key;
	struct switch_ctx *ctx;
	struct switch_rules rules;
	struct port *ports;	  /* by member */
	struct port_list bridges; /* those whose policy says so */
	struct stations stations;
	struct neighbour *neighbours; /* by address */
	struct uplink *uplink;	      /* NULL: what follows is decided here */
	UT_hash_handle hh;	      /* switch_ctx.domains */
};

struct switch_ctx {
	struct domain *domains;
};

/* NULL: it has no ports. */
struct domain *domain_find(const struct switch_ctx *ctx, const char *tenant, const char *network);
void domain_drop_if_empty(struct switch_ctx *ctx, struct domain *domain);

void port_unlink(struct port *port);

/* Tells the owner, unless the port has had its share; port->n_untold counts those. */
void domain_notify(struct switch_notice *notice, int64_t now_ms);

static inline bool port_is_held(const struct port *port, int64_t now_ms)
{
	return now_ms < port->held_until_ms;
}
