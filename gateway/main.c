/*
 * lanyard-gateway: HTTPS for the REST API of /v1, turned into calls on the bus.
 *
 * HTTP:   LANYARD_LISTEN, described by gateway/openapi.yaml.
 * Events: revoked and keys, both of auth; portal of provision.
 * State:  none.
 */
#include "gateway/api/network_events.h"
#include "gateway/api.h"
#include "gateway/compat/we500_memory.h"
#include "gateway/compat/we500_seen.h"
#include "gateway/compat/we500_usage.h"
#include "gateway/doors.h"
#include "gateway/usage.h"
#include "lib/svc.h"
#include "proto/event.pb-c.h"

#include <unistd.h>

#define DRAIN_MS      4000
#define BURST_FACTOR  2 /* how many seconds' worth of requests may come at once */
#define GUESSES_RATE  3 /* of serial numbers, a second and address */
#define GUESSES_BURST 200

static struct {
	const char *listen;
	const char *tls_cert, *tls_key;
	const char *issuer;
	long workers;
	long rate;
	long drain_s;

	struct api api;
	const char *portal_listen, *portal_plain_listen, *portal_legacy_listen, *est_listen;
	struct http *http;
	bool drained;
} gateway;

static const struct config_entry config[] = {
	{ "LANYARD_LISTEN", "127.0.0.1:8443", &gateway.listen, CONFIG_ENDPOINT,
		"address and port of the REST API (HTTPS)", 0, 0 },
	{ "LANYARD_TLS_CERT", NULL, &gateway.tls_cert, CONFIG_TEXT,
		"file with the certificate and its chain (PEM)", 0, 0 },
	{ "LANYARD_TLS_KEY", NULL, &gateway.tls_key, CONFIG_TEXT,
		"file with the certificate's key (PEM)", 0, 0 },
	{ "LANYARD_ISSUER", "lanyard", &gateway.issuer, CONFIG_TEXT,
		"issuer of access tokens, the same in auth, gateway and dataplane", 0, 0 },
	{ "LANYARD_WORKERS", "16", &gateway.workers, CONFIG_INT,
		"requests that are served at the same time", 1, 256 },
	{ "LANYARD_RATE", "100", &gateway.rate, CONFIG_INT,
		"requests a second of one principal or address; twice as many at once", 1,
		1000000 },
	{ "LANYARD_DRAIN_S", "5", &gateway.drain_s, CONFIG_INT,
		"seconds for which it goes on when it is told to stop, so that clients and what is "
		"before it go to other gateways; it does not wait without others",
		0, 60 },
	{ "LANYARD_PROXIES", "", &gateway.api.proxies, CONFIG_TEXT,
		"addresses of proxies whose X-Real-IP is believed, separated by commas", 0, 0 },
	{ "LANYARD_NAMES_2017", "false", &gateway.api.names_2017, CONFIG_BOOL,
		"the registration API as devices of 2017 know it", 0, 0 },
	{ "LANYARD_LISTS_FOLDER", "", &gateway.api.lists, CONFIG_TEXT,
		"folder whose files are shown at /disco/: signed lists of sites for VPN apps; "
		"empty: none",
		0, 0 },
	{ "LANYARD_PORTAL_LISTEN", "", &gateway.portal_listen, CONFIG_TEXT,
		"more addresses and ports (HTTPS), each with =HOST for the portal of one tenant, "
		"separated by commas",
		0, 0 },
	{ "LANYARD_PORTAL_PLAIN_LISTEN", "", &gateway.portal_plain_listen, CONFIG_TEXT,
		"the same without TLS, for status polls only: passwords cross the network in clear",
		0, 0 },
	{ "LANYARD_PORTAL_LEGACY_LISTEN", "", &gateway.portal_legacy_listen, CONFIG_TEXT,
		"the same for old devices, with TLS 1.0 and 1.1 too, which are broken; the portal "
		"only",
		0, 0 },
	{ "LANYARD_EST_LISTEN", "", &gateway.est_listen, CONFIG_TEXT,
		"more addresses and ports (HTTPS) where clients are asked for a certificate, for "
		"EST",
		0, 0 },
	{ "LANYARD_PORTAL_ALIASES", "true", &gateway.api.portal_aliases, CONFIG_BOOL,
		"the portal also at /api/vi/vpn, and at its paths with a slash at the end", 0, 0 },
	{ NULL, NULL, NULL, CONFIG_TEXT, NULL, 0, 0 },
};

/* ---- events ---- */

static err_t on_revoked(struct call *call, const ProtobufCMessage *event)
{
	const Event__Revoked *revoked = (const Event__Revoked *)event;

	trust_revoke(gateway.api.trust, revoked->subject, revoked->not_before);
	we500_memory_changed(call->tenant, "");
	return OK;
}

static err_t on_keys(struct call *call, const ProtobufCMessage *event)
{
	(void)call;
	(void)event;
	trust_refresh(gateway.api.trust);
	return OK;
}

static err_t on_portal(struct call *call, const ProtobufCMessage *event)
{
	we500_memory_changed(call->tenant, ((const Event__PortalChanged *)event)->serial);
	return OK;
}

static const struct event_route events[] = {
	{ "portal", &event__portal_changed__descriptor, on_portal },
	{ "revoked", &event__revoked__descriptor, on_revoked },
	{ "keys", &event__keys__descriptor, on_keys },
	{ NULL, NULL, NULL },
};

/* ---- life ---- */

static err_t start(struct svc *svc)
{
	const struct http_options options = {
		.listen = gateway.listen,
		.certificate_file = gateway.tls_cert,
		.key_file = gateway.tls_key,
		.bus = svc_bus(svc),
		.workers = (int)gateway.workers,
		.serve = api_serve,
		.context = &gateway.api,
	};
	err_t err;

	usage_open();
	we500_usage_open();
	we500_seen_open(svc_bus(svc));
	gateway.api.trust = trust_start(svc, gateway.issuer);
	gateway.api.principals = limit_create(gateway.rate, gateway.rate * BURST_FACTOR);
	gateway.api.addresses = limit_create(gateway.rate, gateway.rate * BURST_FACTOR);
	gateway.api.guesses = limit_create(GUESSES_RATE, GUESSES_BURST);
	gateway.api.streams = event_streams_create();
	if ((err = doors_open(gateway.portal_listen, DOOR_TLS, &options)) != OK ||
		(err = doors_open(gateway.portal_plain_listen, DOOR_PLAIN, &options)) != OK ||
		(err = doors_open(gateway.portal_legacy_listen, DOOR_OLD_TLS, &options)) != OK ||
		(err = doors_open(gateway.est_listen, DOOR_CERTIFICATE, &options)) != OK ||
		(err = http_open(&gateway.http, &options)) != OK) {
		(void)doors_close(0);
		trust_stop(gateway.api.trust);
	}
	return err;
}

static void drain(struct svc *svc)
{
	http_retire(gateway.http);
	doors_retire();
	if (bus_count(svc_bus(svc), "gateway") > 1)
		sleep((unsigned)gateway.drain_s);
}

static void stop(struct svc *svc)
{
	(void)svc;
	gateway.drained = http_close(gateway.http, DRAIN_MS);
	gateway.drained = doors_close(DRAIN_MS) && gateway.drained;
	we500_seen_close();
	trust_stop(gateway.api.trust);
}

static const struct svc_definition definition = {
	.name = "gateway",
	.summary = "the REST API of the fleet over HTTPS",
	.config = config,
	.outlasts_database = true,
	.events = events,
	.start = start,
	.drain = drain,
	.drain_s = &gateway.drain_s,
	.stop = stop,
};

int main(int argc, char **argv)
{
	int status = svc_main(&definition, argc, argv);

	if (gateway.drained) {
		event_streams_destroy(gateway.api.streams);
		limit_destroy(gateway.api.principals);
		limit_destroy(gateway.api.addresses);
		limit_destroy(gateway.api.guesses);
		trust_destroy(gateway.api.trust);
	}
	return status;
}
