/*
 * tunnel: the methods of the tunnel proxy, and how a client finds its server.
 */
#include "dataplane/nymea/tunnel.h"

#include "dataplane/dataplane.h"
#include "dataplane/nymea/guid.h"
#include "dataplane/nymea/tunnel_server.h"
#include "dataplane/relay/link.h"
#include "dataplane/relay/registry.h"
#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RPC_REGISTER_SERVER = RPC_OWN, RPC_REGISTER_CLIENT, RPC_DISCONNECT_CLIENT, RPC_PING };

static const struct rpc_method methods[] = {
	CLIENT_COMMON_METHODS,
	{ .name = "TunnelProxy.RegisterServer",
		.params = { { "serverName", RPC_STRING, false },
			{ "serverUuid", RPC_UUID, false } },
		.call = RPC_REGISTER_SERVER },
	{ .name = "TunnelProxy.RegisterClient",
		.params = { { "clientName", RPC_STRING, false }, { "clientUuid", RPC_UUID, false },
			{ "serverUuid", RPC_UUID, false } },
		.call = RPC_REGISTER_CLIENT },
	{ .name = "TunnelProxy.DisconnectClient",
		.params = { { "socketAddress", RPC_UINT, false } },
		.call = RPC_DISCONNECT_CLIENT },
	{ .name = "TunnelProxy.Ping",
		.params = { { "timestamp", RPC_UINT, false } },
		.call = RPC_PING },
	{ .name = NULL },
};

/* ---- answers ---- */

/* Sends a document as the client is spoken to: a server in frames. Takes it. */
static void say(struct client *client, char *text)
{
	if (client->state == CLIENT_SERVER)
		tunnel_server_send(client->server, text);
	else
		client_send(client, text);
}

static void answer(struct client *client, int id, const char *error)
{
	AUTO_FREE char *text = xasprintf("TunnelProxyError%s", error);

	say(client, rpc_answer(id, json_pack("{s:s}", "tunnelProxyError", text)));
}

static void answer_server(struct client *client, const char *error)
{
	AUTO_FREE char *text = xasprintf("TunnelProxyError%s", error);

	say(client,
		rpc_answer(client->request, json_pack("{s:s, s:b}", "tunnelProxyError", text,
						    "slipEnabled", strcmp(error, "NoError") == 0)));
}

static void end_refused(struct client *client)
{
	client_end(client, "API call was not successfully.");
}

/* ---- servers ---- */

static void on_registered(struct dataplane *dataplane, const struct registry_answer *result)
{
	struct client *client = client_find(dataplane->nymea, result->connection);

	if (!client || client->state != CLIENT_AUTHENTICATING) {
		if (result->err == OK)
			registry_release(
				dataplane, result->tenant, result->server, result->connection);
		return;
	}
	if (result->err == OK) {
		answer_server(client, "NoError");
		tunnel_server_create(client, result->server, client->guest.name);
		client->port->nymea->total_tunnels++;
		return;
	}
	answer_server(client,
		result->err == ERR_ALREADY_EXISTS ? "AlreadyRegistered" : "InternalServerError");
	end_refused(client);
}

static void register_server(struct client *client, const struct rpc_request *request)
{
	AUTO_FREE char *text = rpc_text(request, "serverUuid");
	char uuid[UUID_SIZE];

	client->request = request->id;
	if (!guid_parse(text, uuid)) {
		answer_server(client, "InvalidUuid");
		return;
	}
	client->guest.name = rpc_text(request, "serverName");
	client->state = CLIENT_AUTHENTICATING;
	registry_register(client->port->nymea->dataplane,
		&(struct registry_question){ .tenant = client->guest.tenant,
			.server = uuid,
			.name = client->guest.name,
			.connection = client->guest.relay.end.id },
		on_registered);
}

/* ---- clients ---- */

static void enter(struct client *client, struct relay_end *place)
{
	if (!place) {
		answer(client, client->request, "InternalServerError");
		end_refused(client);
		return;
	}
	answer(client, client->request, "NoError");
	client->state = CLIENT_JOINED;
	client->port->nymea->total_tunnels++;
	end_set_timer(&client->guest.relay.end, 0);
	relay_join(&client->guest.relay, place);
	if (!client->port->is_ws)
		relay_keep_quiet(&client->guest.relay, CLIENT_QUIET_MS);
	splitter_finish(&client->splitter);
}

/* The link to the server's node stands, or there is none. */
static void on_linked(struct dataplane *dataplane, const char *connection, struct relay_end *far)
{
	struct client *client = client_find(dataplane->nymea, connection);

	if (client && client->state == CLIENT_AUTHENTICATING)
		enter(client, far);
	else if (far)
		end_close(&far->end, WS_STATUS_NORMAL, "");
}

static const char *refusal_of(err_t err)
{
	switch (err) {
	case OK: /* it was here a moment ago */
	case ERR_NOT_FOUND:
		return "ServerNotFound";
	case ERR_ALREADY_EXISTS:
		return "AlreadyRegistered";
	default:
		return "InternalServerError";
	}
}

static void on_found(struct dataplane *dataplane, const struct registry_answer *result)
{
	struct client *client = client_find(dataplane->nymea, result->connection);
	struct tunnel_server *server = tunnel_find(dataplane->nymea, result->found_connection);
	struct tunnel_visitor visitor;

	if (!client || client->state != CLIENT_AUTHENTICATING)
		return;
	visitor = (struct tunnel_visitor){ client->guest.name, client->guest.uuid,
		client->guest.relay.end.address };
	if (result->err == OK && server)
		enter(client, tunnel_enter(server, &visitor));
	else if (result->err == OK && strcmp(result->node, dataplane->instance) != 0)
		link_open_server(dataplane,
			&(struct link_request){ client->guest.tenant, result->node,
				result->found_connection, client->guest.relay.end.id, "",
				client->guest.name, client->guest.uuid,
				client->guest.relay.end.address, "" },
			on_linked);
	else {
		answer(client, client->request, refusal_of(result->err));
		end_refused(client);
	}
}

static void register_client(struct client *client, const struct rpc_request *request)
{
	AUTO_FREE char *client_text = rpc_text(request, "clientUuid");
	AUTO_FREE char *server_text = rpc_text(request, "serverUuid");
	char client_uuid[UUID_SIZE];

	client->request = request->id;
	if (!guid_parse(client_text, client_uuid) ||
		!guid_parse(server_text, client->server_uuid)) {
		answer(client, client->request, "InvalidUuid");
		return;
	}
	client->guest.name = rpc_text(request, "clientName");
	client->guest.uuid = xstrdup(client_uuid);
	client->state = CLIENT_AUTHENTICATING;
	registry_find(client->port->nymea->dataplane,
		&(struct registry_question){ .tenant = client->guest.tenant,
			.server = client->server_uuid,
			.name = "",
			.connection = client->guest.relay.end.id,
			.client = client_uuid },
		on_found);
}

/* ---- requests ---- */

static void disconnect_client(struct client *client, const struct rpc_request *request)
{
	AUTO_FREE char *text = rpc_text(request, "socketAddress");

	if (client->state != CLIENT_SERVER)
		answer(client, request->id, "NotRegistered");
	else if (!tunnel_server_disconnect(client->server, (unsigned)strtoul(text, NULL, 10)))
		answer(client, request->id, "UnknownSocketAddress");
	else
		answer(client, request->id, "NoError");
}

static void handle(struct client *client, const struct rpc_request *request)
{
	bool registering = client->state != CLIENT_NEW;

	switch (request->method->call) {
	case RPC_REGISTER_SERVER:
	case RPC_REGISTER_CLIENT:
		if (registering) {
			answer(client, request->id, "AlreadyRegistered");
			end_refused(client);
			return;
		}
		/* It may be asked for again after a UUID that was none. */
		free(client->guest.name);
		free(client->guest.uuid);
		client->guest.name = client->guest.uuid = NULL;
		snprintf(client->guest.tenant, sizeof(client->guest.tenant), "%s",
			client->port->nymea->settings->tenant);
		if (request->method->call == RPC_REGISTER_SERVER)
			register_server(client, request);
		else
			register_client(client, request);
		break;
	case RPC_DISCONNECT_CLIENT:
		disconnect_client(client, request);
		break;
	default:
		say(client, rpc_answer(request->id,
				    json_pack("{s:O}", "timestamp",
					    json_object_get(request->params, "timestamp"))));
	}
}

void tunnel_handle(struct client *client, const char *text, size_t len)
{
	struct rpc_request request;
	struct rpc_refusal refusal;

	if (!rpc_read(&request, methods, text, len, &refusal)) {
		tunnel_server_send(client->server, refusal.answer);
		client_end(client, refusal.reason);
		return;
	}
	if (request.method->call == RPC_HELLO || request.method->call == RPC_INTROSPECT)
		tunnel_server_send(client->server, client_common_answer(client, &request));
	else
		handle(client, &request);
	rpc_finish(&request);
}

/* ---- the connection ---- */

static void on_received(struct relay_end *one, const struct pipe_piece *piece)
{
	struct client *client = (struct client *)one;

	if (client->state == CLIENT_SERVER)
		tunnel_server_received(client->server, piece);
	else
		client_received(client, piece);
}

static void on_drained(struct relay_end *one)
{
	struct client *client = (struct client *)one;

	if (client->server)
		tunnel_server_drained(client->server);
}

static void on_parted(struct relay_end *one)
{
	client_end((struct client *)one, "Server disconnected");
}

static void on_timer(struct relay_end *one)
{
	struct client *client = (struct client *)one;

	if (client->state == CLIENT_SERVER)
		tunnel_server_timer(client->server);
	else if (client->state == CLIENT_NEW || client->state == CLIENT_AUTHENTICATING)
		client_end(client, "Proxy timeout occurred. The socket was inactive.");
}

static const struct relay_hooks relay_hooks = {
	.received = on_received,
	.drained = on_drained,
	.parted = on_parted,
	.timer = on_timer,
	.closed = client_closed,
};

const struct client_api tunnel_api = {
	.methods = methods,
	.handle = handle,
	.hooks = &relay_hooks,
};

struct tunnel_server *tunnel_find(struct nymea *nymea, const char *connection)
{
	struct client *client = client_find(nymea, connection);

	return client && client->state == CLIENT_SERVER ? client->server : NULL;
}

void tunnel_left(struct client *client)
{
	if (client->server)
		tunnel_server_destroy(client->server);
	client->server = NULL;
}
