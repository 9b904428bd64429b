/*
 * client: see client.h.
 */
#include "dataplane/nymea/client.h"

#include "dataplane/dataplane.h"
#include "dataplane/net/channel.h"
#include "dataplane/nymea/tunnel.h"
#include "lib/log.h"
#include "lib/mem.h"

#include <string.h>

static const struct client_api *api_of(const struct client *client)
{
	return client->port->kind == INTROSPECT_PAIRING ? &pairing_api : &tunnel_api;
}

/* ---- what is sent ---- */

void client_send(struct client *client, char *text)
{
	end_say(&client->guest.relay.end, text);
	free(text);
}

void client_end(struct client *client, const char *reason)
{
	client->state = CLIENT_OVER;
	end_finish(&client->guest.relay.end, CLIENT_CLOSE, reason);
}

bool client_is_deaf(struct client *client, size_t waiting)
{
	if (client->guest.relay.end.out.bytes + waiting < CLIENT_DEAF)
		return false;
	client_end(client, "Answers are not read.");
	return true;
}

char *client_common_answer(const struct client *client, const struct rpc_request *request)
{
	const struct nymea_settings *settings = client->port->nymea->settings;
	bool pairing = client->port->kind == INTROSPECT_PAIRING;
	const char *api = pairing ? settings->pair_api : settings->tunnel_api;

	if (request->method->call == RPC_INTROSPECT)
		return introspect_answer(client->port->kind, api, request->id);
	return rpc_answer(
		request->id, json_pack("{s:s, s:s, s:s, s:s}", "server", "nymea-remoteproxy",
				     "name", settings->name, "version",
				     pairing ? settings->pair_version : settings->tunnel_version,
				     "apiVersion", api));
}

/* ---- what is received ---- */

static void handle_document(struct client *client, const char *text, size_t len)
{
	struct rpc_request request;
	struct rpc_refusal refusal;

	if (!rpc_read(&request, api_of(client)->methods, text, len, &refusal)) {
		client_send(client, refusal.answer);
		client_end(client, refusal.reason);
		return;
	}
	if (client->state == CLIENT_NEW)
		end_set_timer(&client->guest.relay.end,
			(unsigned)client->port->nymea->settings->inactive_timeout_ms);
	if (request.method->call == RPC_HELLO || request.method->call == RPC_INTROSPECT)
		client_send(client, client_common_answer(client, &request));
	else
		api_of(client)->handle(client, &request);
	rpc_finish(&request);
}

static bool takes_documents(const struct client *client)
{
	return client->state == CLIENT_NEW || client->state == CLIENT_AUTHENTICATING;
}

/* A whole message that can't become a document, however it goes on. */
static bool is_hopeless(struct client *client)
{
	const char *text = client->splitter.text + client->splitter.given;
	size_t len = client->splitter.len - client->splitter.given;

	while (len > 0 && strchr(" \t\r\n", *text) && *text != '\0')
		text++, len--;
	return len > 0 && *text != '{';
}

static void handle_rest(struct client *client, bool is_message)
{
	const char *text;
	size_t len;

	if (splitter_overflows(&client->splitter)) {
		client_end(client, "Data buffer size violation.");
	} else if (is_message && is_hopeless(client)) {
		splitter_rest(&client->splitter, &text, &len);
		handle_document(client, text, len);
	}
}

void client_received(struct client *client, const struct pipe_piece *piece)
{
	bool is_message = client->port->is_ws;
	const char *text;
	size_t len;

	if (client->state == CLIENT_OVER)
		return;
	if (is_message && !piece->text) {
		client_end(client, "Binary message not expected.");
		return;
	}
	if (!takes_documents(client)) {
		client_end(client, "Data received while authenticated but not remote connected.");
		return;
	}
	splitter_add(&client->splitter, piece->data, piece->len);
	if (!piece->final) {
		if (client->splitter.len > CLIENT_MESSAGE_MAX)
			client_end(client, "Data buffer size violation.");
		return;
	}
	if (is_message && client->splitter.len == 0)
		handle_document(client, "", 0);
	/* What came together with an Authenticate is handled even if its token is judged already.
	 */
	while ((takes_documents(client) || client->state == CLIENT_CLAIMING) &&
		splitter_next(&client->splitter, &text, &len) && !client_is_deaf(client, 0))
		handle_document(client, text, len);
	if (takes_documents(client))
		handle_rest(client, is_message);
}

/* ---- life ---- */

struct client *client_find(struct nymea *nymea, const char *id)
{
	struct client *client;

	HASH_FIND(by_id, nymea->clients, id, strlen(id), client);
	return client;
}

void client_closed(struct relay_end *one)
{
	struct client *client = (struct client *)one;
	struct nymea *nymea = client->port->nymea;

	tunnel_left(client);
	HASH_DELETE(by_id, nymea->clients, client);
	crowd_leave(&nymea->crowd, one->end.address);
	nymea->total_bytes += one->end.rx_bytes;
	guest_closed(&client->guest);
	splitter_finish(&client->splitter);
	free(client);
}

static void begin(struct client *client, struct nymea_port *port)
{
	struct nymea *nymea = port->nymea;
	struct end *end = &client->guest.relay.end;

	client->port = port;
	end->text_only = port->is_ws;
	relay_init(&client->guest.relay, api_of(client)->hooks);
	HASH_ADD_KEYPTR(by_id, nymea->clients, end->id, strlen(end->id), client);
	crowd_enter(&nymea->crowd, end->address);
	nymea->total_clients++;
	end_set_timer(end, (unsigned)nymea->settings->inactive_timeout_ms);
}

void client_of_channel(struct nymea_port *port, struct channel *channel)
{
	struct client *client = xcalloc(1, sizeof(*client));

	end_of_channel(&client->guest.relay.end, channel);
	begin(client, port);
}

void client_of_stream(struct nymea_port *port, struct stream *stream)
{
	struct client *client = xcalloc(1, sizeof(*client));

	end_of_stream(&client->guest.relay.end, stream);
	begin(client, port);
}
