/*
 * nymea: the doors, and whom they let in.
 */
#include "dataplane/nymea/nymea.h"

#include "dataplane/dataplane.h"
#include "dataplane/net/channel.h"
#include "dataplane/net/http.h"
#include "dataplane/nymea/authorizer.h"
#include "dataplane/nymea/client.h"
#include "dataplane/nymea/monitor.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"

#include <limits.h>
#include <string.h>
#include <time.h>

int nymea_next_notification(struct nymea *nymea)
{
	nymea->n_notifications = nymea->n_notifications < INT_MAX ? nymea->n_notifications + 1 : 1;
	return nymea->n_notifications;
}

/* ---- connections ---- */

static bool has_room(const struct nymea *nymea, struct stream *stream)
{
	const char *address = stream_address(stream);

	if (crowd_has_room(&nymea->crowd, address, nymea->settings->per_address))
		return true;
	LOG_THROTTLED(LOG_LEVEL_WARN, "nymea_too_many", "address=%s", address);
	return false;
}

/* What QWebSocketServer says in its 101, for clients that run in a browser. */
static char *headers_for(const struct http *http)
{
	const char *origin = http_header(http, "Origin");
	time_t now_s = (time_t)(clock_unix_ms() / 1000);
	char date[40];
	struct tm now;

	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now_s, &now));
	return xasprintf("Server: nymea-remoteproxy\r\nAccess-Control-Allow-Credentials: false\r\n"
			 "Access-Control-Allow-Methods: GET\r\n"
			 "Access-Control-Allow-Headers: content-type\r\n"
			 "Access-Control-Allow-Origin: %s\r\nDate: %s\r\n",
		origin ? origin : "", date);
}

static void on_asked(void *context, struct http *http)
{
	AUTO_FREE char *headers = headers_for(http);
	const struct channel_options options = { .headers = headers };
	struct nymea_port *port = context;
	struct channel *channel;
	const char *why;
	unsigned status = channel_check(http, &why);

	if (status == 0 && !has_room(port->nymea, http_stream(http))) {
		status = 429;
		why = "Too many connections come from this address.";
	}
	if (status != 0) {
		http_answer(http, status, why);
		return;
	}
	channel = channel_accept(http, &options);
	client_of_channel(port, channel);
	channel_open(channel);
}

static const struct http_face http_face = { .asked = on_asked };

static size_t refuse_bytes(struct stream *stream, const struct stream_bytes *bytes)
{
	(void)stream;
	return bytes->len;
}

static void on_refused_closed(struct stream *stream)
{
	(void)stream;
}

static const struct stream_face refused_face = {
	.received = refuse_bytes,
	.closed = on_refused_closed,
};

static void on_accepted(void *context, struct stream *stream)
{
	struct nymea_port *port = context;

	if (!has_room(port->nymea, stream)) {
		stream_set_face(stream, &refused_face, NULL);
		stream_close(stream);
	} else if (port->is_ws) {
		http_create(stream, &http_face, port);
	} else {
		client_of_stream(port, stream);
	}
}

/* ---- doors ---- */

struct plan {
	const char *listen;
	enum introspect_port kind;
	bool is_ws, is_unix;
};

static err_t open_port(struct nymea *nymea, struct nymea_port *port, const struct plan *plan)
{
	struct dataplane *dataplane = nymea->dataplane;
	struct listener_options options = {
		.loop = loop_uv(dataplane->loop),
		.door = { .listen = plan->listen, .mode = 0777 },
		.streams = dataplane->streams,
		.tls = plan->is_unix ? NULL : identity_tls(nymea->identity),
		.proxies = &dataplane->proxies,
		.accepted = on_accepted,
		.context = port,
	};

	port->nymea = nymea;
	port->kind = plan->kind;
	port->is_ws = plan->is_ws;
	port->is_tls = options.tls != NULL;
	return *plan->listen == '\0' ? OK : listener_open(&port->listener, &options);
}

static err_t open_ports(struct nymea *nymea)
{
	const struct nymea_settings *settings = nymea->settings;
	const struct plan plans[NYMEA_PORTS] = {
		{ settings->pair_ws, INTROSPECT_PAIRING, true, false },
		{ settings->pair_tcp, INTROSPECT_PAIRING, false, false },
		{ settings->pair_unix, INTROSPECT_PAIRING, false, true },
		{ settings->tunnel_ws, INTROSPECT_TUNNEL, true, false },
		{ settings->tunnel_tcp, INTROSPECT_TUNNEL, false, false },
		{ settings->tunnel_unix, INTROSPECT_TUNNEL, false, true },
	};
	err_t err = OK;

	for (size_t i = 0; i < NYMEA_PORTS && err == OK; i++)
		err = open_port(nymea, &nymea->ports[i], &plans[i]);
	return err;
}

static bool is_any_port_open(const struct nymea_settings *settings)
{
	return *settings->pair_ws != '\0' || *settings->pair_tcp != '\0' ||
	       *settings->tunnel_ws != '\0' || *settings->tunnel_tcp != '\0';
}

/* Clients of nymea have no certificates of their own. */
static err_t open_identity(struct nymea *nymea)
{
	const struct nymea_settings *settings = nymea->settings;
	const struct identity_settings *of_node = &nymea->dataplane->identity_settings;
	const bool own = *settings->tls_cert != '\0';
	const struct identity_settings identity = {
		.certs = !settings->tls ? ""
			 : own		? settings->tls_cert
					: of_node->certs,
		.keys = own ? settings->tls_key : of_node->keys,
		.chain = own && *settings->tls_chain != '\0' ? settings->tls_chain : NULL,
		.clients = "",
	};
	struct fault fault;
	err_t err;

	if (settings->tls && *identity.certs == '\0' && is_any_port_open(settings)) {
		log_error("bad_setting",
			"LANYARD_NYMEA_TLS_CERT: expected a certificate for the ports of nymea's "
			"clients; LANYARD_NYMEA_TLS=false opens them without TLS");
		return ERR_INVALID_ARGUMENT;
	}
	if ((err = identity_open(&nymea->identity, &identity, &fault)) != OK)
		log_error("nymea_tls_failed", "detail=%s", log_value(fault.detail));
	else
		identity_watch(nymea->identity, loop_uv(nymea->dataplane->loop));
	return err;
}

err_t nymea_open(
	struct nymea **out, struct dataplane *dataplane, const struct nymea_settings *settings)
{
	struct nymea *nymea = xcalloc(1, sizeof(*nymea));
	err_t err;

	*out = nymea;
	nymea->dataplane = dataplane;
	nymea->settings = settings;
	if ((err = open_identity(nymea)) != OK || (err = open_ports(nymea)) != OK)
		return err;
	if ((err = monitor_open(&nymea->monitor, nymea)) != OK)
		return err;
	nymea->authorizer = authorizer_start(nymea);
	return OK;
}

void nymea_shut(struct nymea *nymea)
{
	for (size_t i = 0; nymea && i < NYMEA_PORTS; i++) {
		listener_close(nymea->ports[i].listener);
		nymea->ports[i].listener = NULL;
	}
}

void nymea_close(struct nymea *nymea)
{
	struct client *client, *next;

	if (!nymea)
		return;
	nymea_shut(nymea);
	monitor_close(nymea->monitor);
	if (nymea->identity)
		identity_unwatch(nymea->identity);
	HASH_ITER(by_id, nymea->clients, client, next)
	{
		client->state = CLIENT_OVER;
		end_close(&client->guest.relay.end, WS_STATUS_NORMAL, "Stop server");
	}
}

void nymea_destroy(struct nymea *nymea)
{
	if (!nymea)
		return;
	authorizer_stop(nymea->authorizer);
	monitor_destroy(nymea->monitor);
	identity_destroy(nymea->identity);
	free(nymea);
}
