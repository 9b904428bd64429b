/*
 * statistics: see statistics.h. Names are those of the original, its misprints included.
 */
#include "dataplane/nymea/statistics.h"

#include "dataplane/nymea/client.h"
#include "dataplane/nymea/tunnel_server.h"
#include "lib/mem.h"

#include <string.h>

static const struct end *end_of(const struct client *client)
{
	return &client->guest.relay.end;
}

static const char *text(const char *text)
{
	return text ? text : "";
}

static const struct client *next_of(const struct client *client)
{
	return client->by_id.next;
}

/* Of two clients here, the one with the smaller id stands for the pair. */
static bool stands_for_pair(const struct client *client)
{
	const struct relay_end *partner = client->guest.relay.partner;

	return client->state == CLIENT_JOINED && partner &&
	       (strcmp(partner->end.transport->name, "link") == 0 ||
		       strcmp(end_of(client)->id, partner->end.id) < 0);
}

uint64_t statistics_bytes(const struct nymea *nymea)
{
	uint64_t bytes = nymea->total_bytes;

	for (const struct client *client = nymea->clients; client; client = next_of(client))
		bytes += end_of(client)->rx_bytes;
	return bytes;
}

void statistics_count(const struct nymea *nymea, unsigned *connections, unsigned *tunnels)
{
	*connections = *tunnels = 0;
	for (const struct client *client = nymea->clients; client; client = next_of(client)) {
		++*connections;
		if (client->port->kind == INTROSPECT_PAIRING)
			*tunnels += stands_for_pair(client);
		else
			*tunnels += client->state == CLIENT_JOINED;
	}
}

/* ---- pairing ---- */

static json_t *braced(const char *id)
{
	return json_sprintf("{%s}", id);
}

static json_t *client_object(const struct client *client)
{
	const struct end *end = end_of(client);

	return json_pack("{s:s, s:b, s:o, s:s, s:I, s:b, s:s, s:s, s:I, s:I}", "address",
		end->address, "authenticated", client->authenticated, "id", braced(end->id), "name",
		text(client->guest.name), "timestamp", (json_int_t)end->opened_s, "tunnelConnected",
		client->state == CLIENT_JOINED, "uuid", text(client->guest.uuid), "userName",
		text(client->guest.user), "rxDataCount", (json_int_t)end->rx_bytes, "txDataCount",
		(json_int_t)end->tx_bytes);
}

static json_t *tunnel_object(const struct client *client)
{
	return json_pack("{s:o, s:o, s:I}", "clientOne", braced(end_of(client)->id), "clientTwo",
		braced(client->guest.relay.partner->end.id), "timestamp",
		(json_int_t)client->met_s);
}

static json_t *proxy_object(const struct nymea *nymea, uint64_t throughput)
{
	json_t *clients = json_array(), *tunnels = json_array();

	for (const struct client *client = nymea->clients; client; client = next_of(client)) {
		if (client->port->kind != INTROSPECT_PAIRING)
			continue;
		json_array_append_new(clients, client_object(client));
		if (stands_for_pair(client))
			json_array_append_new(tunnels, tunnel_object(client));
	}
	return json_pack("{s:i, s:o, s:i, s:o, s:{s:I, s:I, s:I}, s:I}", "clientCount",
		(int)json_array_size(clients), "clients", clients, "tunnelCount",
		(int)json_array_size(tunnels), "tunnels", tunnels, "total", "totalClientCount",
		(json_int_t)nymea->total_clients, "totalTraffic",
		(json_int_t)statistics_bytes(nymea), "totalTunnelCount",
		(json_int_t)nymea->total_tunnels, "troughput", (json_int_t)throughput);
}

/* ---- the tunnel proxy ---- */

static void add_connection(struct relay_end *slot, const struct tunnel_visitor *visitor, void *arg)
{
	json_array_append_new(
		arg, json_pack("{s:s, s:o, s:o, s:s, s:I, s:I, s:I}", "address", visitor->address,
			     "clientUuid", braced(visitor->uuid), "id", braced(slot->end.id),
			     "name", visitor->name, "timestamp", (json_int_t)slot->end.opened_s,
			     "rxDataCount", (json_int_t)slot->end.tx_bytes, "txDataCount",
			     (json_int_t)slot->end.rx_bytes));
}

static json_t *server_object(const struct client *client, json_t *connections)
{
	const struct end *end = end_of(client);

	return json_pack("{s:s, s:o, s:s, s:o, s:I, s:I, s:I, s:o}", "address", end->address, "id",
		braced(end->id), "name", tunnel_server_name(client->server), "serverUuid",
		braced(tunnel_server_uuid(client->server)), "timestamp", (json_int_t)end->opened_s,
		"rxDataCount", (json_int_t)end->rx_bytes, "txDataCount", (json_int_t)end->tx_bytes,
		"clientConnections", connections);
}

static json_t *transports_object(const struct nymea *nymea)
{
	int tcp = 0, ws = 0, local = 0;

	for (const struct client *client = nymea->clients; client; client = next_of(client)) {
		if (client->port->is_ws)
			ws++;
		else if (strcmp(end_of(client)->address, "unix") == 0)
			local++;
		else
			tcp++;
	}
	return json_pack("{s:i, s:i, s:i}", "TCP", tcp, "WebSocket", ws, "unix", local);
}

static json_t *tunnel_proxy_object(const struct nymea *nymea, uint64_t throughput, bool all)
{
	json_t *servers = json_array();
	int n_servers = 0, n_clients = 0;

	for (const struct client *client = nymea->clients; client; client = next_of(client)) {
		json_t *connections;

		if (!client->server)
			continue;
		connections = json_array();
		tunnel_server_each(client->server, add_connection, connections);
		n_servers++;
		n_clients += (int)json_array_size(connections);
		if (all || json_array_size(connections) > 0)
			json_array_append_new(servers, server_object(client, connections));
		else
			json_decref(connections);
	}
	return json_pack("{s:i, s:i, s:I, s:o, s:I, s:o}", "clientConnectionsCount", n_clients,
		"serverConnectionsCount", n_servers, "totalClientCount",
		(json_int_t)nymea->total_clients, "transports", transports_object(nymea),
		"troughput", (json_int_t)throughput, "tunnelConnections", servers);
}

/* ---- documents ---- */

/* Takes it. */
static char *line_of(json_t *document)
{
	char *dumped = json_dumps(document, JSON_COMPACT | JSON_SORT_KEYS);
	char *line = xasprintf("%s\n", dumped);

	free(dumped);
	json_decref(document);
	return line;
}

char *statistics_push(struct nymea *nymea, uint64_t throughput)
{
	const struct nymea_settings *settings = nymea->settings;

	return line_of(json_pack("{s:s, s:o, s:o, s:s, s:s}", "apiVersion", settings->pair_api,
		"proxyStatistic", proxy_object(nymea, throughput), "tunnelProxyStatistic",
		tunnel_proxy_object(nymea, throughput, true), "serverName", settings->name,
		"serverVersion", settings->pair_version));
}

char *statistics_pull(struct nymea *nymea, uint64_t throughput, bool all)
{
	const struct nymea_settings *settings = nymea->settings;

	return line_of(json_pack("{s:s, s:o, s:s, s:s}", "apiVersion", settings->tunnel_api,
		"tunnelProxyStatistic", tunnel_proxy_object(nymea, throughput, all), "serverName",
		settings->name, "serverVersion", settings->tunnel_version));
}
