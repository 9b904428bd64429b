/*
 * dataplane: devices' live connections: the switch of their networks, and the relay between pairs.
 *
 * Clients: wss://LANYARD_LISTEN/l2 and /pair (docs/dataplane.md).
 * Bus:     answers proto/dataplane.proto; asks auth, provision and rendezvous.
 * State:   none; what lives here ends with the process, and its clients come again.
 */
#include "dataplane/admit/admit.h"
#include "dataplane/counters.h"
#include "dataplane/dataplane.h"
#include "dataplane/admit/keys.h"
#include "dataplane/drain.h"
#include "dataplane/net/http.h"
#include "dataplane/live/live.h"
#include "dataplane/node.h"
#include "dataplane/nymea/ini.h"
#include "dataplane/relay/link.h"
#include "dataplane/trunk/trunks.h"
#include "dataplane/tunnel/locate.h"
#include "dataplane/tunnel/visitor.h"
#include "lib/congestion.h"
#include "lib/log.h"

#include <stdlib.h>

#define DRAIN_MS 2000 /* for the connections to close in good manner */

static struct dataplane dataplane;

static const struct config_entry config[] = {
	{ "LANYARD_LISTEN", "127.0.0.1:9443", &dataplane.listen, CONFIG_ENDPOINT,
		"where agents connect", 0, 0 },
	{ "LANYARD_PROXIES", "", &dataplane.proxies_setting, CONFIG_TEXT,
		"addresses of load balancers, each alone or as ADDRESS/PREFIX, separated by "
		"commas: connections from there have to begin with a header of PROXY protocol "
		"version 2, and are those of the clients that it names; empty: none",
		0, 0 },
	{ "LANYARD_HOSTS", "", &dataplane.hosts_setting, CONFIG_TEXT,
		"host names that clients may come by, separated by commas, each followed by what "
		"it is for: NAME [tenant=UUID] [network=UUID] [face=l2|pair]; *.NAME and * stand "
		"for many; empty: any name, for everything",
		0, 0 },
	{ "LANYARD_TLS_CERT", "", &dataplane.identity_settings.certs, CONFIG_TEXT,
		"PEM files of certificates, each with its chain, separated by commas: the one for "
		"the name that a client asks for is shown, else the first; empty: no TLS (behind a "
		"proxy that ends it)",
		0, 0 },
	{ "LANYARD_TLS_KEY", "", &dataplane.identity_settings.keys, CONFIG_TEXT,
		"PEM files of their private keys, in the same order", 0, 0 },
	{ "LANYARD_TLS_CLIENT_CA", "", &dataplane.identity_settings.clients, CONFIG_TEXT,
		"PEM file of tenants' certificate authorities, with their revocation lists if "
		"there "
		"are any: a certificate of theirs admits the device that it names; empty: none is "
		"asked "
		"for",
		0, 0 },
	{ "LANYARD_TLS_CLIENT_REQUIRED", "false", &dataplane.identity_settings.clients_required,
		CONFIG_BOOL, "true: clients without a certificate are refused by TLS", 0, 0 },
	{ "LANYARD_ISSUER", "lanyard", &dataplane.issuer, CONFIG_TEXT,
		"issuer that access tokens must have", 0, 0 },
	{ "LANYARD_PING_S", "25", &dataplane.ping_s, CONFIG_INT,
		"seconds after which a client that has sent nothing is pinged, so that no proxy or "
		"NAT on the way forgets its connection; 0: never",
		0, 3600 },
	{ "LANYARD_CONGESTION", CONGESTION_AUTO, &dataplane.congestion, CONFIG_TEXT,
		"TCP congestion control towards clients: auto (bbr on long or lossy ways), or the "
		"name of one that the kernel has",
		0, 0 },
	{ "LANYARD_VPNWS_LISTEN", "", &dataplane.vpnws_settings.listen, CONFIG_TEXT,
		"where a proxy connects that speaks uwsgi for clients of vpn-ws: the path of a "
		"unix socket, ADDRESS:PORT or [ADDRESS]:PORT; empty: nowhere",
		0, 0 },
	{ "LANYARD_VPNWS_MODE", "0660", &dataplane.vpnws_settings.mode, CONFIG_TEXT,
		"mode of that unix socket's file", 0, 0 },
	{ "LANYARD_VPNWS_GROUP", "", &dataplane.vpnws_settings.group, CONFIG_TEXT,
		"group of that file; empty: that of LANYARD_USER", 0, 0 },
	{ "LANYARD_VPNWS_TENANT", "", &dataplane.vpnws_settings.tenant, CONFIG_TEXT,
		"tenant of the network that clients behind the proxy are in", 0, 0 },
	{ "LANYARD_VPNWS_NETWORK", "", &dataplane.vpnws_settings.network, CONFIG_TEXT,
		"that network", 0, 0 },
	{ "LANYARD_VPNWS_BRIDGES", "false", &dataplane.vpnws_settings.bridges, CONFIG_BOOL,
		"clients behind the proxy may be bridges (vpn-ws-client --bridge)", 0, 0 },
	{ "LANYARD_VPNWS_NO_BROADCAST", "false", &dataplane.vpnws_settings.no_broadcast,
		CONFIG_BOOL, "broadcast reaches the network's bridges only", 0, 0 },
	{ "LANYARD_VPNWS_NO_MULTICAST", "false", &dataplane.vpnws_settings.no_multicast,
		CONFIG_BOOL, "multicast reaches the network's bridges only", 0, 0 },
	{ "LANYARD_VPNWS_TUNTAP", "", &dataplane.vpnws_settings.tuntap, CONFIG_TEXT,
		"TAP interface by which this host is in that network; empty: none", 0, 0 },
	{ "LANYARD_VPNWS_BRIDGE", "false", &dataplane.vpnws_settings.bridge, CONFIG_BOOL,
		"the interface is a bridge's: a network lies behind it", 0, 0 },
	{ "LANYARD_VPNWS_EXEC", "", &dataplane.vpnws_settings.exec, CONFIG_TEXT,
		"command for /bin/sh when doors and interface are open, before LANYARD_USER counts",
		0, 0 },
	{ "LANYARD_USER", "", &dataplane.vpnws_settings.user, CONFIG_TEXT,
		"user, by name or number, to go on as when all is open; empty: no change", 0, 0 },
	{ "LANYARD_GROUP", "", &dataplane.vpnws_settings.process_group, CONFIG_TEXT,
		"group to go on with; empty: that of the user", 0, 0 },
	{ "LANYARD_LINK_LISTEN", "127.0.0.1:0", &dataplane.link_listen, CONFIG_ENDPOINT,
		"where other nodes bring the partners of our clients; port 0 takes a free one", 0,
		0 },
	{ "LANYARD_NODE_NAME", "", &dataplane.node_name, CONFIG_TEXT,
		"what other nodes and redirections call this one; empty: the id of its run", 0, 0 },
	{ "LANYARD_REDIRECT", "false", &dataplane.redirects, CONFIG_BOOL,
		"true: what is before the nodes routes /l2/node/NAME to the node of that name, so "
		"agents are sent there when it is the home of their network; false: they are "
		"carried",
		0, 0 },
	{ "LANYARD_DRAIN_S", "5", &dataplane.drain_s, CONFIG_INT,
		"seconds in which sessions move to other nodes when this one is told to stop; 0: "
		"they are closed at once, as they are without other nodes",
		0, 600 },
	{ "LANYARD_PAIR_PING_S", "30", &dataplane.pair_ping_s, CONFIG_INT,
		"a WebSocket client of a pair, nymea's too, that is silent so long is pinged, and "
		"closed "
		"after three times that; 0: never",
		0, 3600 },
	{ "LANYARD_PAIR_IDLE_S", "0", &dataplane.pair_idle_s, CONFIG_INT,
		"a pair that carries nothing for so long is closed; 0: never", 0, 31536000 },
	{ "LANYARD_PAIR_PER_ADDRESS", "1000", &dataplane.pair_per_address, CONFIG_INT,
		"connections to /pair from one address", 1, 1000000 },
	NYMEA_CONFIG(dataplane.nymea_settings),
	FRONT_CONFIG(dataplane.front_settings),
	{ NULL, NULL, NULL, CONFIG_TEXT, NULL, 0, 0 },
};

/* The command lines of vpn-ws and of nymea-remoteproxy. */
static const struct argument arguments[] = {
	{ "tuntap", "DEVICE", "LANYARD_VPNWS_TUNTAP" },
	{ "exec", "COMMAND", "LANYARD_VPNWS_EXEC" },
	{ "bridge", NULL, "LANYARD_VPNWS_BRIDGE" },
	{ "no-broadcast", NULL, "LANYARD_VPNWS_NO_BROADCAST" },
	{ "no-multicast", NULL, "LANYARD_VPNWS_NO_MULTICAST" },
	{ "uid", "USER", "LANYARD_USER" },
	{ "gid", "GROUP", "LANYARD_GROUP" },
	{ "socket-mode", "MODE", "LANYARD_VPNWS_MODE" },
	{ "socket-group", "GROUP", "LANYARD_VPNWS_GROUP" },
	{ "", "ADDRESS", "LANYARD_VPNWS_LISTEN" },
	{ "c|configuration", "FILE", "LANYARD_NYMEA_CONFIG" },
	{ "m|mock-authenticator", NULL, "LANYARD_NYMEA_AUTHENTICATOR=mock" },
	{ "l|logging", "FILE", "LANYARD_NYMEA_LOG_FILE" },
	{ "d|development", NULL, "" },
	{ "verbose", NULL, "LANYARD_LOG_LEVEL=debug" },
	{ NULL, NULL, NULL },
};

static void on_accepted(void *context, struct stream *stream)
{
	http_create(stream, &admit_face, context);
}

static err_t open_doors(void)
{
	struct listener_options listener = {
		.loop = loop_uv(dataplane.loop),
		.door = { .listen = dataplane.listen },
		.streams = dataplane.streams,
		.tls = identity_tls(dataplane.identity),
		.proxies = &dataplane.proxies,
		.accepted = on_accepted,
		.context = &dataplane,
	};

	err_t err = listener_open(&dataplane.listener, &listener);

	if (err == OK)
		err = links_open(&dataplane.links, &dataplane, dataplane.link_listen);
	if (err == OK)
		err = nymea_open(&dataplane.nymea, &dataplane, &dataplane.nymea_settings);
	if (err == OK)
		err = front_open(&dataplane.front, &dataplane, &dataplane.front_settings);
	return err;
}

static err_t open_vpnws(void)
{
	const struct vpnws_options options = {
		.loop = loop_uv(dataplane.loop),
		.streams = dataplane.streams,
		.sessions = dataplane.sessions,
		.settings = &dataplane.vpnws_settings,
	};

	return vpnws_open(&dataplane.vpnws, &options);
}

static void on_streams_ended(void *arg)
{
	(void)arg;
	loop_end(dataplane.loop);
}

static void close_doors(void *arg)
{
	(void)arg;
	listener_close(dataplane.listener);
	vpnws_close(dataplane.vpnws);
	trunks_close(dataplane.trunks);
	links_close(dataplane.links);
	nymea_close(dataplane.nymea);
	front_close(dataplane.front);
	guests_close(dataplane.guests);
	live_close(dataplane.live);
	identity_unwatch(dataplane.identity);
	streams_close(dataplane.streams, DRAIN_MS, on_streams_ended, NULL);
}

static err_t open_congestion(void)
{
	struct fault fault;
	err_t err = congestion_create(&dataplane.control, dataplane.congestion, &fault);

	if (err != OK)
		log_error("bad_setting", "LANYARD_CONGESTION: %s", fault.detail);
	return err;
}

static err_t open_identity(void)
{
	struct fault fault;
	err_t err = identity_open(&dataplane.identity, &dataplane.identity_settings, &fault);

	if (err != OK)
		log_error("tls_failed", "field=%s detail=%s", log_value(fault.field),
			log_value(fault.detail));
	return err;
}

static void run_open(void *arg)
{
	err_t *err = arg;

	dataplane.streams = streams_create(loop_uv(dataplane.loop));
	streams_set_congestion(dataplane.streams, dataplane.control);
	identity_watch(dataplane.identity, loop_uv(dataplane.loop));
	*err = open_doors();
	if (*err == OK)
		*err = open_vpnws();
	dataplane.live = live_open(&dataplane);
	dataplane.trunks = trunks_open(&dataplane);
}

static void stop(struct svc *svc)
{
	(void)svc;
	worker_stop(dataplane.keys);
	loop_call(dataplane.loop, close_doors, NULL);
	loop_join(dataplane.loop);
	streams_destroy(dataplane.streams);
	identity_destroy(dataplane.identity);
	congestion_destroy(dataplane.control);
	vpnws_destroy(dataplane.vpnws);
	trunks_destroy(dataplane.trunks);
	sessions_destroy(dataplane.sessions);
	nymea_destroy(dataplane.nymea);
	live_destroy(dataplane.live);
	front_destroy(dataplane.front);
	boxes_destroy(dataplane.boxes);
	locator_destroy(dataplane.locator);
	visitors_destroy(dataplane.visitors);
	links_destroy(dataplane.links);
	guests_destroy(dataplane.guests);
	verifier_destroy(dataplane.verifier);
	refused_destroy(dataplane.refused);
	packet_trim();
	block_trim();
}

static void drain(struct svc *svc)
{
	(void)svc;
	drain_run(&dataplane);
}

static err_t start(struct svc *svc)
{
	err_t err;

	if ((err = open_congestion()) != OK || (err = open_identity()) != OK)
		return err;
	/* Calls to other services wait in libuv's pool; four at a time would be few when one is
	 * slow. */
	setenv("UV_THREADPOOL_SIZE", "16", 0);
	counters_register();
	if ((err = nymea_settings_log(&dataplane.nymea_settings)) != OK)
		return err;
	dataplane.svc = svc;
	dataplane.bus = svc_bus(svc);
	dataplane.instance = svc_instance(svc);
	if (*dataplane.node_name == '\0')
		dataplane.node_name = dataplane.instance;
	dataplane.verifier = verifier_create(dataplane.issuer);
	dataplane.refused = refused_create();
	dataplane.sessions = sessions_create();
	sessions_set_silence(dataplane.sessions, (unsigned)dataplane.ping_s * 1000);
	dataplane.guests = guests_create(&dataplane);
	dataplane.boxes = boxes_create(&dataplane, &dataplane.front_settings.boxes);
	dataplane.locator = locator_create(&dataplane);
	dataplane.visitors = visitors_create();
	keys_first(&dataplane);
	if ((err = loop_start(&dataplane.loop)) != OK)
		return err;
	if (!loop_call(dataplane.loop, run_open, &err))
		err = ERR_INTERNAL;
	if (err == OK)
		err = vpnws_settle(&dataplane.vpnws_settings);
	if (err != OK) {
		stop(svc);
		return err;
	}
	node_open(&dataplane);
	keys_start(&dataplane);
	log_info("listening", "listen=%s tls=%s", dataplane.listen,
		identity_tls(dataplane.identity) ? "yes" : "no");
	return OK;
}

static err_t prepare(struct fault *fault)
{
	const char *path = getenv("LANYARD_NYMEA_CONFIG");

	return path != NULL && *path != '\0' ? ini_load(path, fault) : OK;
}

static err_t check(struct fault *fault)
{
	err_t err = OK;

	if (*dataplane.node_name != '\0' && !trunks_name_good(dataplane.node_name))
		return fault_set(fault, ERR_INVALID_ARGUMENT, "LANYARD_NODE_NAME",
			"expected 1 to 63 letters, digits, '.', '-' and '_'");
	err = proxies_parse(&dataplane.proxies, dataplane.proxies_setting, fault);
	if (err == OK)
		err = hosts_parse(&dataplane.hosts, dataplane.hosts_setting, fault);
	if (err == OK)
		err = vpnws_check(&dataplane.vpnws_settings, fault);
	if (err == OK)
		err = nymea_settings_check(&dataplane.nymea_settings, fault);
	return err == OK ? front_check(&dataplane.front_settings,
				   *dataplane.identity_settings.certs != '\0', fault)
			 : err;
}

static const struct svc_definition definition = {
	.name = "dataplane",
	.summary =
		"devices' live connections: the switch of their networks, and the relay of pairs",
	.config = config,
	.arguments = arguments,
	.prepare = prepare,
	.check = check,
	.services = node_services,
	.outlasts_database = true,
	.events = node_events,
	.start = start,
	.drain = drain,
	.drain_s = &dataplane.drain_s,
	.stop = stop,
};

int main(int argc, char **argv)
{
	return svc_main(&definition, argc, argv);
}
