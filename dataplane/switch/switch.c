/*
 * switch: a hash of domains by (tenant, network); each has its ports by member, its stations by MAC
 * address and its neighbours by IP address.
 */
#include "dataplane/switch/switch.h"

#include "dataplane/switch/domain.h"
#include "dataplane/switch/frame.h"
#include "dataplane/switch/guard.h"
#include "dataplane/switch/learn.h"
#include "lib/mem.h"

#include <string.h>

#define NOTICES_A_SECOND 1
#define NOTICES_AT_ONCE	 20

/* ---- networks ---- */

static void key_fill(struct domain_key *key, const char *tenant, const char *network)
{
	memset(key, 0, sizeof(*key));
	strncpy(key->tenant, tenant, sizeof(key->tenant) - 1);
	strncpy(key->network, network, sizeof(key->network) - 1);
}

struct domain *domain_find(const struct switch_ctx *ctx, const char *tenant, const char *network)
{
	struct domain_key key;
	struct domain *domain;

	key_fill(&key, tenant, network);
	HASH_FIND(hh, ctx->domains, &key, sizeof(key), domain);
	return domain;
}

static struct domain *domain_get(struct switch_ctx *ctx, const char *tenant, const char *network)
{
	struct domain *domain = domain_find(ctx, tenant, network);

	if (domain)
		return domain;
	domain = xcalloc(1, sizeof(*domain));
	key_fill(&domain->key, tenant, network);
	domain->ctx = ctx;
	TAILQ_INIT(&domain->bridges);
	stations_init(&domain->stations);
	HASH_ADD(hh, ctx->domains, key, sizeof(domain->key), domain);
	return domain;
}

void domain_drop_if_empty(struct switch_ctx *ctx, struct domain *domain)
{
	if (domain->ports)
		return;
	HASH_DELETE(hh, ctx->domains, domain);
	stations_finish(&domain->stations);
	free(domain);
}

void domain_notify(struct switch_notice *notice, int64_t now_ms)
{
	struct port *port = notice->port;

	if (!bucket_has(&port->notices, NOTICES_A_SECOND, NOTICES_AT_ONCE, 1, now_ms)) {
		port->n_untold++;
		return;
	}
	bucket_take(&port->notices, 1);
	notice->n_untold = port->n_untold;
	port->n_untold = 0;
	if (port->owner && port->owner->notice)
		port->owner->notice(port, notice);
}

const char *switch_event_name(enum switch_event event)
{
	static const char *const names[] = {
		[SWITCH_STATION_LEARNED] = "station_learned",
		[SWITCH_STATION_MOVED] = "station_moved",
		[SWITCH_STATION_REFUSED] = "station_refused",
		[SWITCH_GUARD] = "guard",
		[SWITCH_STORM] = "storm",
		[SWITCH_LOOP] = "loop",
	};

	return names[event];
}

/* ---- ports ---- */

static void port_link(struct domain *domain, struct port *port)
{
	port->domain = domain;
	port->own.port = NULL;
	port->n_learned = 0;
	port->held_until_ms = 0;
	TAILQ_INIT(&port->learned);
	HASH_ADD_STR(domain->ports, member, port);
	if (port->policy.bridge)
		TAILQ_INSERT_TAIL(&domain->bridges, port, bridge_link);
	if (domain->uplink) {
		domain->uplink->join(domain->uplink, port, false);
		return;
	}
	if (port->mac != 0)
		learn_own(port);
	guard_add(port);
}

void port_unlink(struct port *port)
{
	if (port->domain->uplink)
		port->domain->uplink->leave(port->domain->uplink, port);
	guard_remove(port);
	learn_forget(port);
	if (port->policy.bridge)
		TAILQ_REMOVE(&port->domain->bridges, port, bridge_link);
	HASH_DELETE(hh, port->domain->ports, port);
	port->domain = NULL;
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
	struct station *station = stations_find(&domain->stations, port->mac);
	struct port *old;

	HASH_FIND_STR(domain->ports, port->member, old);
	if (station && station == &station->port->own && station->port != old)
		return ERR_ALREADY_EXISTS;
	if (old && port->again && old->began_ms > port->began_ms)
		return ERR_ABORTED;
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

void switch_set_rules(struct switch_ctx *ctx, const char *tenant, const char *network,
	const struct switch_rules *rules)
{
	struct domain *domain = domain_find(ctx, tenant, network);

	if (domain && rules->version >= domain->rules.version)
		domain->rules = *rules;
}

size_t switch_count_stations(struct port *port, int64_t now_ms)
{
	if (!port->domain)
		return 0;
	if (!port->domain->uplink)
		learn_age(port, now_ms);
	return port->n_learned + (port->mac != 0);
}

/* ---- frames ---- */

/* May the port send one more frame to many? */
static bool storm_allows(struct port *port, uint32_t len, int64_t now_ms)
{
	const struct switch_rules *rules = &port->domain->rules;
	uint32_t burst = rules->storm_bytes > FRAME_LEN_MAX ? rules->storm_bytes : FRAME_LEN_MAX;

	if (rules->storm_frames != 0 && !bucket_has(&port->flood_frames, rules->storm_frames,
						rules->storm_frames, 1, now_ms))
		return false;
	if (rules->storm_bytes != 0 &&
		!bucket_has(&port->flood_bytes, rules->storm_bytes, burst, len, now_ms))
		return false;
	bucket_take(&port->flood_frames, 1);
	bucket_take(&port->flood_bytes, len);
	return true;
}

static bool may_reach(const struct port *from, const struct port *to, int64_t now_ms)
{
	return to != from && to->mac != 0 && !(from->policy.isolated && to->policy.isolated) &&
	       !port_is_held(to, now_ms);
}

static void flood_to_all(struct port *from, struct packet *frame, int64_t now_ms)
{
	for (struct port *port = from->domain->ports; port; port = port->hh.next)
		if (may_reach(from, port, now_ms))
			port->deliver(port, frame);
}

static void flood_to_bridges(struct port *from, struct packet *frame, int64_t now_ms)
{
	struct port *port;

	TAILQ_FOREACH(port, &from->domain->bridges, bridge_link)
	if (may_reach(from, port, now_ms))
		port->deliver(port, frame);
}

static bool is_for_bridges_only(const struct switch_rules *rules, uint64_t destination)
{
	if (destination == FRAME_BROADCAST)
		return rules->no_broadcast;
	return frame_mac_is_group(destination) ? rules->no_multicast : true;
}

/* Is there a bridge besides the sender? */
static bool has_bridge_for(const struct port *from)
{
	const struct port *first = TAILQ_FIRST(&from->domain->bridges);

	return first && (first != from || TAILQ_NEXT(first, bridge_link));
}

static enum drop flood(
	struct port *from, struct packet *frame, uint64_t destination, int64_t now_ms)
{
	bool to_bridges = is_for_bridges_only(&from->domain->rules, destination);

	if (to_bridges && !has_bridge_for(from))
		return frame_mac_is_group(destination) ? DROP_POLICY : DROP_DESTINATION;
	if (!storm_allows(from, frame->len, now_ms)) {
		struct switch_notice notice = { .event = SWITCH_STORM,
			.port = from,
			.mac = destination,
			.detail = "more broadcast, multicast and unknown frames than allowed" };

		domain_notify(&notice, now_ms);
		return DROP_STORM;
	}
	if (to_bridges)
		flood_to_bridges(from, frame, now_ms);
	else
		flood_to_all(from, frame, now_ms);
	return DROP_NONE;
}

static enum drop deliver_to(
	struct port *from, struct port *to, struct packet *frame, int64_t now_ms)
{
	if (to == from)
		return DROP_DESTINATION;
	if (port_is_held(to, now_ms))
		return DROP_LOOP;
	if (from->policy.isolated && to->policy.isolated)
		return DROP_POLICY;
	to->deliver(to, frame);
	return DROP_NONE;
}

static enum drop guard(
	struct port *from, const struct inspected *inspected, uint64_t source, int64_t now_ms)
{
	struct switch_notice notice = { .event = SWITCH_GUARD, .port = from, .mac = source };

	notice.detail = guard_refuses(from, inspected, source);
	if (!notice.detail)
		return DROP_NONE;
	domain_notify(&notice, now_ms);
	return DROP_POLICY;
}

/*
 * The home of the network decides, but two stations that it has told of, both here, may go on
 * without it, unless a guard wants to look at what they say. It hears of all that is new: addresses
 * that appear, or appear elsewhere, and frames to many.
 */
static enum drop forward_up(
	struct port *from, struct packet *frame, const struct frame_header *header, int64_t now_ms)
{
	struct domain *domain = from->domain;
	struct station *source = stations_find(&domain->stations, header->source);
	struct station *to = stations_find(&domain->stations, header->destination);
	struct inspected inspected;

	if (!source || !to || source->port != from || to->port == from ||
		port_is_held(from, now_ms))
		return domain->uplink->forward(domain->uplink, from, frame);
	inspect(frame->data, frame->len, &inspected);
	if (inspected.kind != INSPECT_OTHER)
		return domain->uplink->forward(domain->uplink, from, frame);
	source->seen_ms = now_ms;
	return deliver_to(from, to->port, frame, now_ms);
}

enum drop switch_forward(struct port *from, struct packet *frame, int64_t now_ms)
{
	struct frame_header header;
	struct inspected inspected;
	struct station *station;
	enum drop why;

	if (frame_parse(frame->data, frame->len, &header) != OK)
		return DROP_LENGTH;
	if (from->domain->uplink)
		return forward_up(from, frame, &header, now_ms);
	if (port_is_held(from, now_ms))
		return DROP_LOOP;
	if ((why = learn_source(from, header.source, now_ms)) != DROP_NONE)
		return why;
	if (header.destination == 0 || header.destination == header.source)
		return DROP_DESTINATION;
	if (frame_mac_is_reserved(header.destination))
		return DROP_POLICY;
	inspect(frame->data, frame->len, &inspected);
	if ((why = guard(from, &inspected, header.source, now_ms)) != DROP_NONE)
		return why;
	if (frame_mac_is_group(header.destination)) {
		if (guard_answer(from, &inspected, header.source, now_ms))
			return DROP_NONE;
		return flood(from, frame, header.destination, now_ms);
	}
	station = learn_find(from->domain, header.destination, now_ms);
	if (!station)
		return flood(from, frame, header.destination, now_ms);
	return deliver_to(from, station->port, frame, now_ms);
}
