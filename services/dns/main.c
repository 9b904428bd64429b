/*
 * dns: keeps the names of members and answers PowerDNS about the zone.
 *
 * Bus:    service dns.Dns of proto/dns.proto; asks auth for the names of tenants.
 * Events: "member" of provision becomes a name.
 * State:  tables dns.name and dns.serial (db/migrations/0005_dns.sql).
 * Socket: LANYARD_DNS_SOCKET, PowerDNS' remote backend (docs/names.md).
 */
#include "services/dns/names.h"
#include "services/dns/server.h"
#include "services/dns/store.h"
#include "services/dns/zone.h"

#include "lib/log.h"
#include "lib/svc.h"
#include "proto/dns.pb-c.h"
#include "proto/event.pb-c.h"

#include <stdlib.h>

/* PowerDNS gives up on an answer after 2 s. */
#define LOOKUP_TIMEOUT_MS 1500

static struct {
	const char *zone_name;
	const char *socket;
	const char *server_name;
	const char *address;
	struct zone zone;
	struct server *server;
	struct names_tenants tenants;
} dns;

static const struct config_entry config[] = {
	{ "LANYARD_DNS_ZONE", "lanyard.test", &dns.zone_name, CONFIG_TEXT,
		"zone that all names are below", 0, 0 },
	{ "LANYARD_DNS_SOCKET", NULL, &dns.socket, CONFIG_TEXT,
		"unix socket on which PowerDNS' remote backend asks", 0, 0 },
	{ "LANYARD_DNS_SERVER", "", &dns.server_name, CONFIG_TEXT,
		"host name of the name server, for the zone's NS record; empty: ns1 of the zone", 0,
		0 },
	{ "LANYARD_DNS_ADDRESS", "127.0.0.1", &dns.address, CONFIG_TEXT,
		"address of the name server, if its name is in the zone", 0, 0 },
	{ NULL, NULL, NULL, CONFIG_TEXT, NULL, 0, 0 },
};

/* ---- bus and events ---- */

static err_t get_name(struct call *call, const Dns__Ref *request, Dns__Name *reply)
{
	return names_get(&dns.zone, call, request, reply);
}

static err_t list_names(struct call *call, const Dns__ListRequest *request, Dns__NameList *reply)
{
	return names_list(&dns.zone, call, request, reply);
}

BUS_HANDLER(Dns__Dns_Service, get_name, Dns__Ref, Dns__Name, DNS__NAME__INIT)
BUS_HANDLER(Dns__Dns_Service, list_names, Dns__ListRequest, Dns__NameList, DNS__NAME_LIST__INIT)

static Dns__Dns_Service service = DNS__DNS__INIT(on_);

static ProtobufCService *const services[] = { &service.base, NULL };

static err_t apply_member(struct call *call, const ProtobufCMessage *event)
{
	return names_apply(&dns.tenants, call, (const Event__Member *)event);
}

static const struct event_route events[] = {
	{ "member", &event__member__descriptor, apply_member },
	{ NULL, NULL, NULL },
};

/* ---- PowerDNS ---- */

/* What a connection of PowerDNS looks names up with. */
struct lookup {
	struct bus *bus;
	struct db *db;
};

static void *open_lookup(void *svc)
{
	struct lookup *lookup = xmalloc(sizeof(*lookup));

	lookup->bus = svc_bus(svc);
	lookup->db = svc_db_create(svc);
	return lookup;
}

static void close_lookup(void *context)
{
	struct lookup *lookup = context;

	db_destroy(lookup->db);
	free(lookup);
}

struct lookup_work {
	const char *relative;
	struct zone_entry *entry;
};

static err_t find_in_transaction(struct call *call, void *arg)
{
	struct lookup_work *work = arg;

	return store_find(call, work->relative, work->entry);
}

static err_t find(void *context, const char *relative, struct zone_entry *entry)
{
	struct lookup_work work = { relative, entry };
	struct lookup *lookup = context;
	struct call call;
	err_t err;

	call_init(&call, lookup->bus, "service:powerdns", LOOKUP_TIMEOUT_MS);
	call.tenant = CALL_FLEET;
	err = db_transaction(lookup->db, &call, find_in_transaction, &work);
	if (err != OK)
		LOG_THROTTLED(LOG_LEVEL_WARN, "dns_lookup_failed", "error=%s detail=%s",
			err_name(err), log_value(call.fault.detail));
	call_finish(&call);
	return err;
}

/* ---- life ---- */

static err_t check(struct fault *fault)
{
	return zone_init(&dns.zone, dns.zone_name, dns.server_name, dns.address, fault);
}

static err_t start(struct svc *svc)
{
	const struct server_source source = { svc, open_lookup, close_lookup, find };

	return server_start(&dns.server, dns.socket, &dns.zone, &source);
}

static void stop(struct svc *svc)
{
	(void)svc;
	server_stop(dns.server);
}

static const struct svc_definition definition = {
	.name = "dns",
	.summary = "keeps the names of members and answers PowerDNS about the zone",
	.config = config,
	.services = services,
	.schema = "dns",
	.events = events,
	.check = check,
	.start = start,
	.stop = stop,
};

int main(int argc, char **argv)
{
	int status = svc_main(&definition, argc, argv);

	names_tenants_finish(&dns.tenants);
	return status;
}
