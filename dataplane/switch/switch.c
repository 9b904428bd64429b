/*
 * switch: a hash of domains by (tenant, network); each has its ports by member and its stations by
 * MAC address.
 */
#include "dataplane/switch/switch.h"

#include "dataplane/switch/frame.h"
#include "lib/mem.h"

#include <string.h>

struct domain_key {
	char tenant[SWITCH_ID_LEN];
	char network[SWITCH_ID_LEN];
};

struct domain {
	struct domain_key key;
	struct port *ports; /* by member */
	struct stations stations;
	UT_hash_handle hh; /* switch_ctx.domains */
};

struct switch_ctx {
	struct domain *domains;
};

static void key_fill(struct domain_key *key, const char *tenant, const char *network)
{
	memset(key, 0, sizeof(*key));
	strncpy(key->tenant, tenant, sizeof(key->tenant) - 1);
	strncpy(key->network, network, sizeof(key->network) - 1);
}

static struct domain *domain_get(struct switch_ctx *ctx, const char *tenant, const char *network)
{
	struct domain_key key;
	struct domain *domain;

	key_fill(&key, tenant, network);
	HASH_FIND(hh, ctx->domains, &key, sizeof(key), domain);
	if (domain)
		return domain;
	domain = xcalloc(1, sizeof(*domain));
	domain->key = key;
	stations_init(&domain->stations);
	HASH_ADD(hh, ctx->domains, key, sizeof(key), domain);
	return domain;
}

static void domain_drop_if_empty(struct switch_ctx *ctx, struct domain *domain)
{
	if (domain->ports)
		return;
	HASH_DELETE(hh, ctx->domains, domain);
	stations_finish(&domain->stations);
	free(domain);
}

static void port_link(struct domain *domain, struct port *port)
{
	port->domain = domain;
	port->station = (struct station){ .mac = port->mac, .port = port };
	HASH_ADD_STR(domain->ports, member, port);
	stations_add(&domain->stations, &port->station);
}

static void port_unlink(struct port *port)
{
	stations_remove(&port->domain->stations, &port->station);
	HASH_DELETE(hh, port->domain->ports, port);
	port->domain = NULL;
}

static void flood(struct port *from, struct packet *frame)
{
	for (struct port *port = from->domain->ports; port; port = port->hh.next)
		if (port != from)
			port->deliver(port, frame);
}

struct switch_ctx *switch_create(void)
{
	return xcalloc(1, sizeof(struct switch_ctx));
}

void switch_destroy(struct switch_ctx *ctx)
{
	if (ctx && ctx->domains)
		BUG("%u networks left", HASH_COUNT(ctx->domains));
	free(ctx);
}

err_t switch_attach(struct switch_ctx *ctx, const char *tenant, const char *network,
	struct port *port, struct port **replaced)
{
	struct domain *domain = domain_get(ctx, tenant, network);
	struct port *holder = stations_find(&domain->stations, port->mac);
	struct port *old;

	HASH_FIND_STR(domain->ports, port->member, old);
	if (holder && holder != old)
		return ERR_ALREADY_EXISTS;
	if (old)
		port_unlink(old);
	port_link(domain, port);
	*replaced = old;
	return OK;
}

void switch_detach(struct switch_ctx *ctx, struct port *port)
{
	struct domain *domain = port->domain;

	if (!domain)
		return;
	port_unlink(port);
	domain_drop_if_empty(ctx, domain);
}

enum switch_verdict switch_forward(struct port *from, struct packet *frame)
{
	struct frame_header header;
	struct port *to;

	if (frame_parse(frame->data, frame->len, &header) != OK)
		return SWITCH_BAD_LENGTH;
	if (header.source != from->mac)
		return SWITCH_BAD_SOURCE;
	if (frame_mac_is_group(header.destination)) {
		flood(from, frame);
		return SWITCH_FORWARDED;
	}
	/* An address that nobody has is not flooded: every port has exactly the address it was
	 * given. */
	to = stations_find(&from->domain->stations, header.destination);
	if (!to || to == from)
		return SWITCH_NO_DESTINATION;
	to->deliver(to, frame);
	return SWITCH_FORWARDED;
}
