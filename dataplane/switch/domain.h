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
	UT_hash_handle hh;	      /* switch_ctx.domains */
};

struct switch_ctx {
	struct domain *domains;
	switch_notify *notify;
	void *context;
};

/* Tells the owner, unless the port has had its share; port->n_untold counts those. */
void domain_notify(struct switch_notice *notice, int64_t now_ms);

static inline bool port_is_held(const struct port *port, int64_t now_ms)
{
	return now_ms < port->held_until_ms;
}
