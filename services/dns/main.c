/*
 * dns: keeps zones, the names of members and the names that devices register, and answers PowerDNS.
 *
 * Bus:    service dns.Dns of proto/dns.proto; asks auth for the names of tenants.
 * Events: "member" of provision becomes a name, "revoked" and "resumed" end and resume those that a
 *         device holds; publishes "name" when a name's tunnel is to end.
 * State:  schema dns (db/migrations/0005_dns.sql and those called names).
 * Socket: LANYARD_DNS_SOCKET and LANYARD_DNS_HTTP, PowerDNS' remote backend (docs/names.md).
 */
#include "services/dns/edges.h"
#include "services/dns/extra.h"
#include "services/dns/follow.h"
#include "services/dns/holder.h"
#include "services/dns/label.h"
#include "services/dns/mail.h"
#include "services/dns/names.h"
#include "services/dns/registration.h"
#include "services/dns/server.h"
#include "services/dns/settings.h"
#include "services/dns/store_kite.h"
#include "services/dns/store_time.h"
#include "services/dns/store_zone.h"
#include "services/dns/web.h"

#include "lib/endpoint.h"
#include "lib/keyring.h"
#include "lib/log.h"
#include "lib/svc.h"
#include "proto/dns.pb-c.h"
#include "proto/event.pb-c.h"

#include <pthread.h>
#include <string.h>

/* PowerDNS gives up on an answer after 2 s. */
#define CHANGE_TIMEOUT_MS 1500
#define START_TIMEOUT_MS  10000
#define WARN_DAYS	  7 /* before a name is forgotten */

static struct {
	struct settings_texts texts;
	const char *key_file;
	const char *socket, *http;
	const char *records_file;
	const char *mail_url, *mail_sender;
	bool open, pagekite;
	long challenge_s, forget_days, tunnel_port;

	struct records_settings records;
	struct arena *arena; /* of `records` and holder_settings */
	struct directory *directory;
	struct follow *follow;
	struct server *server;
	struct web *web;
	struct edges *edges;
	struct remote remote;
	struct names_tenants tenants;
	struct svc *svc;
	pthread_mutex_t
		mutex; /* of db: PowerDNS' connections take turns when they change something */
	struct db *db;
} dns = { .mutex = PTHREAD_MUTEX_INITIALIZER };

/* clang-format off */
static const struct config_entry config[] = {
	{ "LANYARD_DNS_ZONE", "lanyard.test", &dns.texts.zone, CONFIG_TEXT,
		"zone that the names of members are below", 0, 0 },
	{ "LANYARD_DNS_NAMES_ZONE", "", &dns.texts.names_zone, CONFIG_TEXT,
		"zone that devices register names in; empty: box. of the other one", 0, 0 },
	{ "LANYARD_DNS_OPEN", "false", &dns.open, CONFIG_BOOL,
		"may strangers register names in that zone", 0, 0 },
	{ "LANYARD_DNS_KEY_FILE", NULL, &dns.key_file, CONFIG_TEXT,
		"file with 64 hex digits: the key of tokens and of DNSSEC keys at rest", 0, 0 },
	{ "LANYARD_DNS_SOCKET", NULL, &dns.socket, CONFIG_TEXT,
		"unix socket on which PowerDNS' remote backend asks", 0, 0 },
	{ "LANYARD_DNS_HTTP", "", &dns.http, CONFIG_TEXT,
		"ADDRESS:PORT on which it may ask over HTTP too; empty: nowhere", 0, 0 },
	{ "LANYARD_DNS_SERVER", "", &dns.texts.server, CONFIG_TEXT,
		"host name of the name server, for NS records; empty: ns1 of the zone", 0, 0 },
	{ "LANYARD_DNS_ADDRESS", "127.0.0.1", &dns.texts.address, CONFIG_TEXT,
		"address of the name server, if its name is in a zone", 0, 0 },
	{ "LANYARD_DNS_TUNNEL", "127.0.0.1", &dns.texts.tunnel, CONFIG_TEXT,
		"addresses of the tunnel, separated by commas: where registered names are found", 0, 0 },
	{ "LANYARD_DNS_TUNNEL_PORT", "0", &dns.tunnel_port, CONFIG_INT,
		"port at which each of them is tried: one that takes no connections is left out while another does; 0: all are told", 0, 65535 },
	{ "LANYARD_DNS_TUNNEL_URLS", "", &holder_settings.tunnel_urls, CONFIG_TEXT,
		"where devices open their ends of tunnels, wss://HOST:PORT/tunnel of each node, separated by blanks", 0, 0 },
	{ "LANYARD_DNS_CAA", "", &dns.texts.caa, CONFIG_TEXT,
		"certificate authorities that may issue for registered names; empty: any", 0, 0 },
	{ "LANYARD_DNS_RESERVED", "api www mail smtp imap admin localhost wpad isatap autoconfig autodiscover local",
		&holder_settings.reserved, CONFIG_TEXT,
		"names that nobody may register, separated by blanks", 0, 0 },
	{ "LANYARD_DNS_RECORDS_FILE", "", &dns.records_file, CONFIG_TEXT,
		"file with records of your own in the zone of names, each a line OWNER TYPE CONTENT; empty: none", 0, 0 },
	{ "LANYARD_DNS_EXPIRE_S", "10800", &holder_settings.expire_s, CONFIG_INT,
		"seconds without a sign of life after which a name loses its addresses; 0: never", 0,
		31536000 },
	{ "LANYARD_DNS_CHALLENGE_S", "3600", &dns.challenge_s, CONFIG_INT,
		"seconds that a certificate challenge is answered", 1, 604800 },
	{ "LANYARD_DNS_FORGET_DAYS", "180", &dns.forget_days, CONFIG_INT,
		"days without a sign of life after which a name is free for others; 0: never", 0,
		36500 },
	{ "LANYARD_DNS_RECLAIM_HINT", "true", &holder_settings.reclaim_hint, CONFIG_BOOL,
		"tell who shows the mail address of a name's holder that it can be reclaimed", 0, 0 },
	{ "LANYARD_DNS_PUBLIC_LOCAL_IPS", "false", &holder_settings.public_local_ips, CONFIG_BOOL,
		"may local. of a name have addresses outside of private networks", 0, 0 },
	{ "LANYARD_DNS_PAGEKITE", "false", &dns.pagekite, CONFIG_BOOL,
		"keep the tokens of names sealed, so that clients of PageKite can sign with them", 0, 0 },
	{ "LANYARD_DNS_API_URL", "", &holder_settings.api_url, CONFIG_TEXT,
		"URL of the registration API, for links in mails; empty: https://api.ZONE", 0, 0 },
	{ "LANYARD_DNS_MAIL_URL", "", &dns.mail_url, CONFIG_SECRET,
		"mail server, smtp://USER:PASSWORD@HOST:PORT; empty: no mail is sent", 0, 0 },
	{ "LANYARD_DNS_MAIL_SENDER", "lanyard@localhost.localdomain", &dns.mail_sender, CONFIG_TEXT,
		"sender's address of mails", 0, 0 },
	{ NULL, NULL, NULL, CONFIG_TEXT, NULL, 0, 0 },
};
/* clang-format on */

/* ---- bus and events ---- */

static err_t get_name(struct call *call, const Dns__Ref *request, Dns__Name *reply)
{
	return names_get(dns.records.members_zone, call, request, reply);
}

static err_t list_names(struct call *call, const Dns__ListRequest *request, Dns__NameList *reply)
{
	return names_list(dns.records.members_zone, call, request, reply);
}

#define SERVICE Dns__Dns_Service
#define EMPTY	DNS__EMPTY__INIT

/* clang-format off */
BUS_HANDLER(SERVICE, get_name, Dns__Ref, Dns__Name, DNS__NAME__INIT)
BUS_HANDLER(SERVICE, list_names, Dns__ListRequest, Dns__NameList, DNS__NAME_LIST__INIT)
BUS_HANDLER(SERVICE, zone_create, Dns__CreateZoneRequest, Dns__Zone, DNS__ZONE__INIT)
BUS_HANDLER(SERVICE, zone_get, Dns__Ref, Dns__Zone, DNS__ZONE__INIT)
BUS_HANDLER(SERVICE, zone_list, Dns__ListRequest, Dns__ZoneList, DNS__ZONE_LIST__INIT)
BUS_HANDLER(SERVICE, zone_delete, Dns__Ref, Dns__Empty, EMPTY)
BUS_HANDLER(SERVICE, registration_create, Dns__CreateRegistrationRequest, Dns__Registration, DNS__REGISTRATION__INIT)
BUS_HANDLER(SERVICE, registration_get, Dns__Ref, Dns__Registration, DNS__REGISTRATION__INIT)
BUS_HANDLER(SERVICE, registration_list, Dns__ListRegistrationsRequest, Dns__RegistrationList, DNS__REGISTRATION_LIST__INIT)
BUS_HANDLER(SERVICE, registration_reclaim, Dns__Ref, Dns__Registration, DNS__REGISTRATION__INIT)
BUS_HANDLER(SERVICE, registration_delete, Dns__Ref, Dns__Empty, EMPTY)
BUS_HANDLER(SERVICE, holder_subscribe, Dns__SubscribeRequest, Dns__Subscription, DNS__SUBSCRIPTION__INIT)
BUS_HANDLER(SERVICE, holder_contact, Dns__ContactRequest, Dns__Empty, EMPTY)
BUS_HANDLER(SERVICE, holder_get_holding, Dns__TokenRef, Dns__Holding, DNS__HOLDING__INIT)
BUS_HANDLER(SERVICE, holder_set_challenge, Dns__ChallengeRequest, Dns__Empty, EMPTY)
BUS_HANDLER(SERVICE, holder_release, Dns__ReleaseRequest, Dns__Empty, EMPTY)
BUS_HANDLER(SERVICE, holder_reclaim, Dns__ReclaimRequest, Dns__Empty, EMPTY)
BUS_HANDLER(SERVICE, holder_set_email, Dns__EmailRequest, Dns__Empty, EMPTY)
BUS_HANDLER(SERVICE, holder_verify_email, Dns__VerifyRequest, Dns__Empty, EMPTY)
BUS_HANDLER(SERVICE, holder_revoke_email, Dns__TokenRef, Dns__Empty, EMPTY)
BUS_HANDLER(SERVICE, holder_list_near, Dns__NearRequest, Dns__NearList, DNS__NEAR_LIST__INIT)
BUS_HANDLER(SERVICE, holder_set_discovery, Dns__DiscoveryRequest, Dns__Empty, EMPTY)
BUS_HANDLER(SERVICE, holder_get_tunnel, Dns__TokenRef, Dns__Tunnel, DNS__TUNNEL__INIT)
BUS_HANDLER(SERVICE, holder_find_tunnel, Dns__NameRef, Dns__Tunnel, DNS__TUNNEL__INIT)
BUS_HANDLER(SERVICE, holder_check_kite, Dns__Kite, Dns__Tunnel, DNS__TUNNEL__INIT)
/* clang-format on */

static Dns__Dns_Service service = {
	.base = DNS__DNS__BASE_INIT,
	.get_name = on_get_name,
	.list_names = on_list_names,
	.create_zone = on_zone_create,
	.get_zone = on_zone_get,
	.list_zones = on_zone_list,
	.delete_zone = on_zone_delete,
	.create_registration = on_registration_create,
	.get_registration = on_registration_get,
	.list_registrations = on_registration_list,
	.reclaim_registration = on_registration_reclaim,
	.delete_registration = on_registration_delete,
	.subscribe = on_holder_subscribe,
	.contact = on_holder_contact,
	.get_holding = on_holder_get_holding,
	.set_challenge = on_holder_set_challenge,
	.release = on_holder_release,
	.reclaim = on_holder_reclaim,
	.set_email = on_holder_set_email,
	.verify_email = on_holder_verify_email,
	.revoke_email = on_holder_revoke_email,
	.list_near = on_holder_list_near,
	.set_discovery = on_holder_set_discovery,
	.get_tunnel = on_holder_get_tunnel,
	.find_tunnel = on_holder_find_tunnel,
	.check_kite = on_holder_check_kite,
};

static ProtobufCService *const services[] = { &service.base, NULL };

static err_t apply_member(struct call *call, const ProtobufCMessage *event)
{
	return names_apply(&dns.tenants, call, (const Event__Member *)event);
}

static err_t apply_revoked(struct call *call, const ProtobufCMessage *event)
{
	return registration_revoked(call, (const Event__Revoked *)event);
}

static err_t apply_resumed(struct call *call, const ProtobufCMessage *event)
{
	return registration_resumed(call, (const Event__Resumed *)event);
}

static const struct event_route events[] = {
	{ "member", &event__member__descriptor, apply_member },
	{ "revoked", &event__revoked__descriptor, apply_revoked },
	{ "resumed", &event__resumed__descriptor, apply_resumed },
	{ NULL, NULL, NULL },
};

/* ---- time ---- */

static err_t expire(struct call *call)
{
	return store_expire(call, holder_settings.expire_s);
}

/* One warning a turn: they are rare, and each is one mail. */
static err_t forget(struct call *call)
{
	struct store_holder holder;
	bool found = false;
	err_t err;

	if (dns.forget_days == 0)
		return OK;
	if ((err = store_warn(call, dns.forget_days - WARN_DAYS, &holder, &found)) != OK ||
		(found && (err = mail_warning(call, &holder)) != OK))
		return err;
	return store_forget(call, dns.forget_days);
}

static const struct svc_task tasks[] = {
	{ "expire", 1, expire },
	{ "mail", MAIL_EVERY_S, mail_send_due },
	{ "prune", 60, store_prune },
	{ "forget", 10, forget },
	{ NULL, 0, NULL },
};

/* ---- PowerDNS ---- */

/* Runs in the connections' threads. */
static err_t change(void *context, err_t (*work)(struct call *call, void *arg), void *arg)
{
	struct call call;
	err_t err;

	(void)context;
	call_init(&call, svc_bus(dns.svc), "service:powerdns", CHANGE_TIMEOUT_MS);
	call.tenant = CALL_FLEET;
	pthread_mutex_lock(&dns.mutex);
	err = db_transaction(dns.db, &call, work, arg);
	pthread_mutex_unlock(&dns.mutex);
	if (err == OK) {
		event_ring(&call);
		err = follow_now(dns.follow);
	} else {
		LOG_THROTTLED(LOG_LEVEL_WARN, "dns_change_failed", "error=%s detail=%s",
			err_name(err), log_value(call.fault.detail));
	}
	call_finish(&call);
	return err;
}

/* ---- the tunnel's addresses ---- */

static err_t touch_zones(struct call *call, void *arg)
{
	(void)arg;
	return store_tunnel_changed(call);
}

/* For secondaries: what we answer has changed already. */
static err_t on_edges_changed(void)
{
	return change(NULL, touch_zones, NULL);
}

/* ---- life ---- */

static err_t read_records_file(struct fault *fault)
{
	err_t err;

	if (*dns.records_file == '\0')
		return OK;
	dns.arena = arena_create();
	if ((err = extra_read(dns.records_file, dns.arena, &dns.records, fault)) == OK)
		holder_settings.reserved =
			extra_reserved(&dns.records, holder_settings.reserved, dns.arena);
	return err;
}

static err_t check(struct fault *fault)
{
	struct sockaddr_storage address;
	struct call call;
	err_t err = settings_read(&dns.texts, &dns.records, fault);

	if (err != OK || (err = read_records_file(fault)) != OK)
		return err;
	if (*dns.http != '\0' && endpoint_parse(dns.http, &address) != OK)
		return fault_set(
			fault, ERR_INVALID_ARGUMENT, "LANYARD_DNS_HTTP", "expected ADDRESS:PORT");
	if (dns.forget_days > 0 && dns.forget_days <= WARN_DAYS)
		return fault_set(fault, ERR_INVALID_ARGUMENT, "LANYARD_DNS_FORGET_DAYS",
			"expected 0, or more than the %d days of the warning", WARN_DAYS);
	call_init(&call, NULL, "service:dns", START_TIMEOUT_MS);
	err = label_check_email(&call, dns.mail_sender);
	call_finish(&call);
	return err == OK ? OK
			 : fault_set(fault, err, "LANYARD_DNS_MAIL_SENDER",
				   "expected one mail address");
}

/* The fleet's own zones, as the settings have them. */
static err_t ensure_zones(struct call *call, void *arg)
{
	err_t err = store_zone_ensure(call, dns.records.members_zone, false, true);

	(void)arg;
	if (err == OK)
		err = store_zone_ensure(call, dns.records.names_zone, dns.open, false);
	return err != OK ? err : store_kite_forget(call);
}

static err_t prepare(struct svc *svc)
{
	struct call call;
	err_t err;

	dns.svc = svc;
	dns.db = svc_db_create(svc);
	call_init(&call, svc_bus(svc), "service:dns", START_TIMEOUT_MS);
	call.tenant = CALL_FLEET;
	err = db_transaction(dns.db, &call, ensure_zones, NULL);
	if (err != OK)
		log_error("zones_not_made", "error=%s detail=%s", err_name(err),
			log_value(call.fault.detail));
	call_finish(&call);
	return err;
}

static err_t start(struct svc *svc)
{
	err_t err;

	store_kite_init(dns.pagekite);
	if ((err = keyring_open(dns.key_file)) != OK || (err = prepare(svc)) != OK)
		return err;
	mail_init(dns.mail_url, dns.mail_sender);
	store_registration_init(dns.challenge_s);
	dns.directory = directory_create(&dns.records);
	holder_settings.directory = dns.directory;
	holder_settings.names_zone = dns.records.names_zone;
	dns.remote = (struct remote){ dns.directory, change, NULL };
	dns.follow = follow_start(svc, dns.directory);
	if ((err = follow_now(dns.follow)) != OK ||
		(err = server_start(&dns.server, dns.socket, &dns.remote)) != OK ||
		(*dns.http != '\0' && (err = web_start(&dns.web, dns.http, &dns.remote)) != OK))
		return err;
	if (dns.tunnel_port != 0)
		dns.edges = edges_start(
			&(struct edges_options){ &dns.records, dns.tunnel_port, on_edges_changed });
	return OK;
}

static void stop(struct svc *svc)
{
	(void)svc;
	edges_stop(dns.edges);
	web_stop(dns.web);
	server_stop(dns.server);
	follow_stop(dns.follow);
}

static const struct svc_definition definition = {
	.name = "dns",
	.summary = "keeps zones, members' names and registered names, and answers PowerDNS",
	.config = config,
	.services = services,
	.schema = "dns",
	.outlasts_database = true,
	.events = events,
	.tasks = tasks,
	.erase = store_leave,
	.check = check,
	.start = start,
	.stop = stop,
};

int main(int argc, char **argv)
{
	int status = svc_main(&definition, argc, argv);

	names_tenants_finish(&dns.tenants);
	db_destroy(dns.db);
	directory_destroy(dns.directory);
	arena_destroy(dns.arena);
	return status;
}
