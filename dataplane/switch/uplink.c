/*
 * uplink: networks whose home is another node, which tells what it has learned about our ports.
 */
#include "dataplane/switch/domain.h"
#include "dataplane/switch/guard.h"
#include "dataplane/switch/learn.h"

/* The port is decided about here from now on. Two that waited for the home may have one address. */
static void settle(struct port *port)
{
	const struct station *station = stations_find(&port->domain->stations, port->mac);

	if (port->mac != 0 && station && station == &station->port->own) {
		port_unlink(port);
		if (port->owner)
			port->owner->evicted(port, SWITCH_TAKEN);
		return;
	}
	if (port->mac != 0)
		learn_own(port);
	guard_add(port);
}

static void lift(struct port *port, struct uplink *uplink)
{
	guard_remove(port);
	learn_forget(port);
	port->held_until_ms = 0;
	if (uplink)
		uplink->join(uplink, port, true);
}

void switch_set_uplink(
	struct switch_ctx *ctx, const char *tenant, const char *network, struct uplink *uplink)
{
	struct domain *domain = domain_find(ctx, tenant, network);
	struct port *port, *next;

	if (!domain || domain->uplink == uplink)
		return;
	HASH_ITER(hh, domain->ports, port, next)
	{
		if (domain->uplink)
			domain->uplink->leave(domain->uplink, port);
		lift(port, uplink);
	}
	domain->uplink = uplink;
	if (uplink)
		return;
	HASH_ITER(hh, domain->ports, port, next)
	settle(port);
	domain_drop_if_empty(ctx, domain);
}

void switch_put_station(struct port *port, uint64_t mac, bool own)
{
	struct station *station = stations_find(&port->domain->stations, mac);

	if (station && station == &station->port->own)
		return;
	if (station)
		learn_drop(station);
	if (!own) {
		learn_put(port, mac, 0);
	} else if (!port->own.port) {
		port->mac = mac;
		learn_own(port);
	}
}

void switch_drop_station(struct port *port, uint64_t mac)
{
	struct station *station = stations_find(&port->domain->stations, mac);

	if (station && station->port == port && station != &port->own)
		learn_drop(station);
}

void switch_drop_stations(struct port *port)
{
	learn_forget(port);
}

void switch_hold(struct port *port, int64_t until_ms)
{
	port->held_until_ms = until_ms;
}

void switch_visit_stations(const struct port *port,
	void (*visit)(void *context, uint64_t mac, int64_t seen_ms), void *context)
{
	const struct station *station;

	if (port->own.port)
		visit(context, port->mac, 0);
	TAILQ_FOREACH(station, &port->learned, link)
	visit(context, station->mac, station->seen_ms);
}

void switch_touch_station(struct port *port, uint64_t mac, int64_t now_ms)
{
	struct station *station = stations_find(&port->domain->stations, mac);

	if (station && station->port == port)
		station->seen_ms = now_ms;
}
