/*
 * dataplane: devices' live connections: the switch of their networks, and the relay between pairs.
 *
 * Clients: wss://LANYARD_LISTEN/l2 and /pair (docs/dataplane.md).
 * Bus:     answers proto/dataplane.proto; asks auth, provision and rendezvous.
 * State:   none; what lives here ends with the process, and its clients come again.
 */
#include "dataplane/admit/admit.h"
#include "dataplane/relay/claim.h"
#include "dataplane/counters.h"
#include "dataplane/dataplane.h"
#include "dataplane/admit/keys.h"
#include "dataplane/node.h"
#include "lib/log.h"

#include <stdlib.h>

#define DRAIN_MS 2000 /* for the connections to close in good manner */

static struct dataplane dataplane;

static const struct config_entry config[] = {
	{ "LANYARD_LISTEN", "127.0.0.1:9443", &dataplane.listen, CONFIG_ENDPOINT,
		"where agents connect", 0, 0 },
	{ "LANYARD_TLS_CERT", "", &dataplane.tls_cert, CONFIG_TEXT,
		"PEM file of the certificate and its chain; empty: no TLS (behind a proxy that "
		"ends it)",
		0, 0 },
	{ "LANYARD_TLS_KEY", "", &dataplane.tls_key, CONFIG_TEXT,
		"PEM file of the certificate's private key", 0, 0 },
	{ "LANYARD_ISSUER", "lanyard", &dataplane.issuer, CONFIG_TEXT,
		"issuer that access tokens must have", 0, 0 },
	{ NULL, NULL, NULL, CONFIG_TEXT, NULL, 0, 0 },
};

static void on_accepted(void *context, int fd)
{
	channel_server_accepted(((struct dataplane *)context)->server, fd);
}

static err_t open_doors(void)
{
	struct channel_server_options server = {
		.loop = loop_uv(dataplane.loop),
		.tls_cert = dataplane.tls_cert,
		.tls_key = dataplane.tls_key,
		.handshake = admit_handshake,
		.context = &dataplane,
	};
	struct listener_options listener = {
		.loop = loop_uv(dataplane.loop),
		.door = { .listen = dataplane.listen },
		.accepted = on_accepted,
		.context = &dataplane,
	};
	err_t err = channel_server_open(&dataplane.server, &server);

	return err == OK ? listener_open(&dataplane.listener, &listener) : err;
}

static void on_server_ended(void *arg)
{
	(void)arg;
	loop_end(dataplane.loop);
}

static void close_doors(void *arg)
{
	(void)arg;
	listener_close(dataplane.listener);
	channel_server_close(dataplane.server, DRAIN_MS, on_server_ended, NULL);
}

static void run_open(void *arg)
{
	err_t *err = arg;

	*err = open_doors();
}

static void stop(struct svc *svc)
{
	(void)svc;
	worker_stop(dataplane.keys);
	loop_call(dataplane.loop, close_doors, NULL);
	loop_join(dataplane.loop);
	channel_server_destroy(dataplane.server);
	sessions_destroy(dataplane.sessions);
	relays_destroy(dataplane.relays);
	verifier_destroy(dataplane.verifier);
	refused_destroy(dataplane.refused);
	packet_trim();
}

static err_t start(struct svc *svc)
{
	static const struct relays_options relays = {
		.context = &dataplane,
		.claim = claim_make,
		.release = claim_release,
	};
	err_t err;

	/* Calls to other services wait in libuv's pool; four at a time would be few when one is
	 * slow. */
	setenv("UV_THREADPOOL_SIZE", "16", 0);
	counters_register();
	dataplane.svc = svc;
	dataplane.bus = svc_bus(svc);
	dataplane.instance = svc_instance(svc);
	dataplane.verifier = verifier_create(dataplane.issuer);
	dataplane.refused = refused_create();
	dataplane.sessions = sessions_create();
	dataplane.relays = relays_create(&relays);
	if ((err = loop_start(&dataplane.loop)) != OK)
		return err;
	if (!loop_call(dataplane.loop, run_open, &err))
		err = ERR_INTERNAL;
	if (err != OK) {
		stop(svc);
		return err;
	}
	node_open(&dataplane);
	keys_start(&dataplane);
	log_info("listening", "listen=%s tls=%s", dataplane.listen,
		*dataplane.tls_cert ? "yes" : "no");
	return OK;
}

static const struct svc_definition definition = {
	.name = "dataplane",
	.summary =
		"devices' live connections: the switch of their networks, and the relay of pairs",
	.config = config,
	.services = node_services,
	.events = node_events,
	.start = start,
	.stop = stop,
};

int main(int argc, char **argv)
{
	return svc_main(&definition, argc, argv);
}
