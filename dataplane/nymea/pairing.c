/*
 * pairing: the port of API 0.3: a client authenticates, waits for the other one with its token and
 * nonce, and then all that either sends is the other's.
 */
#include "dataplane/nymea/authenticator.h"
#include "dataplane/nymea/client.h"
#include "dataplane/nymea/log_engine.h"
#include "dataplane/nymea/monitor.h"
#include "dataplane/dataplane.h"

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"

#include <stdio.h>
#include <string.h>

static const struct rpc_method methods[] = {
	CLIENT_COMMON_METHODS,
	{ .name = "Authentication.Authenticate",
		.params = { { "name", RPC_STRING, false }, { "nonce", RPC_STRING, true },
			{ "token", RPC_STRING, false }, { "uuid", RPC_STRING, false } },
		.call = RPC_OWN },
	{ .name = NULL },
};

static void answer(struct client *client, const char *error)
{
	client_send(client,
		rpc_answer(client->request, json_pack("{s:s}", "authenticationError", error)));
}

static void fail(struct client *client, const char *error)
{
	answer(client, error);
	client_end(client, "API call was not successfully.");
}

/* ---- authentication ---- */

/* The first of the limits that runs out while the answer is due. */
static void start_answer_timer(struct client *client)
{
	const struct nymea_settings *settings = client->port->nymea->settings;
	long ms = settings->authentication_timeout_ms;

	if (settings->json_rpc_timeout_ms < ms)
		ms = settings->json_rpc_timeout_ms;
	if (settings->inactive_timeout_ms < ms)
		ms = settings->inactive_timeout_ms;
	end_set_timer(&client->guest.relay.end, (unsigned)ms);
}

static void authenticate(struct client *client, const struct rpc_request *request)
{
	struct guest *guest = &client->guest;
	AUTO_FREE char *token = rpc_text(request, "token");
	AUTO_FREE char *nonce = rpc_text(request, "nonce");

	if (client->state != CLIENT_NEW) {
		client_end(client, "Data received while authenticated but not remote connected.");
		return;
	}
	guest->name = rpc_text(request, "name");
	guest->uuid = rpc_text(request, "uuid");
	client->request = request->id;
	client->state = CLIENT_AUTHENTICATING;
	start_answer_timer(client);
	if (strlen(nonce) > GUEST_NONCE_MAX || strlen(guest->name) > GUEST_TEXT_MAX ||
		strlen(guest->uuid) > GUEST_TEXT_MAX) {
		fail(client, "AuthenticationErrorAuthenticationFailed");
		return;
	}
	snprintf(guest->nonce, sizeof(guest->nonce), "%s", nonce);
	authenticator_ask(client, token);
}

void pairing_authenticated(struct client *client, const struct verdict *verdict)
{
	struct guest *guest = &client->guest;

	if (client->state != CLIENT_AUTHENTICATING)
		return;
	if (verdict->error) {
		fail(client, verdict->error);
		return;
	}
	snprintf(guest->tenant, sizeof(guest->tenant), "%s", verdict->tenant);
	snprintf(guest->subject, sizeof(guest->subject), "%s", verdict->subject);
	snprintf(guest->token_id, sizeof(guest->token_id), "%s", verdict->token_id);
	guest->issued_at = verdict->issued_at;
	guest->user = xstrdup(verdict->user);
	guest->patient = true;
	client->state = CLIENT_CLAIMING;
	guest_arrive(client->port->nymea->dataplane->guests, guest);
}

/* ---- the partner ---- */

static void tell_success(struct client *client)
{
	if (client->authenticated)
		return;
	client->authenticated = true;
	answer(client, "AuthenticationErrorNoError");
}

static void on_waits(struct guest *guest)
{
	struct client *client = (struct client *)guest;

	tell_success(client);
	client->state = CLIENT_ALONE;
	end_set_timer(&guest->relay.end, (unsigned)client->port->nymea->settings->alone_timeout_ms);
}

static void on_met(struct guest *guest, const char *name, const char *uuid)
{
	struct client *client = (struct client *)guest;
	struct nymea *nymea = client->port->nymea;

	tell_success(client);
	client->state = CLIENT_JOINED;
	client->met_s = clock_unix_ms() / 1000;
	snprintf(client->met_address, sizeof(client->met_address), "%s",
		guest->relay.partner->end.address);
	end_set_timer(&guest->relay.end, 0);
	client_send(client,
		rpc_notification(nymea_next_notification(nymea), "RemoteProxy.TunnelEstablished",
			json_pack("{s:s, s:s}", "name", name, "uuid", uuid)));
	client->tx_before = guest->relay.end.tx_bytes + guest->relay.end.out.bytes;
	nymea->total_tunnels++;
	splitter_finish(&client->splitter);
	/* A client of 1.x takes what it reads together with the notification for more of it. */
	if (!client->port->is_ws)
		relay_keep_quiet(&guest->relay, CLIENT_QUIET_MS);
}

static void on_met_itself(struct guest *guest)
{
	client_end((struct client *)guest,
		*guest->nonce == '\0' ? "Duplicated client UUID." : "Client loop detected.");
}

static void on_refused(struct guest *guest, err_t err, const char *detail)
{
	struct client *client = (struct client *)guest;

	if (err == ERR_ALREADY_EXISTS) {
		tell_success(client);
		client_end(client, "Tunnel already exists for this token nonce combination.");
		return;
	}
	LOG_THROTTLED(LOG_LEVEL_WARN, "nymea_client_refused", "error=%s detail=%s", err_name(err),
		log_value(detail));
	fail(client, "AuthenticationErrorProxyError");
}

static void on_pair_ended(struct guest *guest, enum ws_status code, const char *reason)
{
	(void)code;
	client_end((struct client *)guest, reason);
}

static const struct guest_hooks guest_hooks = {
	.waits = on_waits,
	.met = on_met,
	.met_itself = on_met_itself,
	.refused = on_refused,
	.ended = on_pair_ended,
};

/* ---- the connection ---- */

static void on_received(struct relay_end *one, const struct pipe_piece *piece)
{
	client_received((struct client *)one, piece);
}

/* Text only, as with the original. */
static bool passes(struct relay_end *one, const struct pipe_piece *piece)
{
	struct client *client = (struct client *)one;

	if (!client->port->is_ws || piece->text)
		return true;
	client_end(client, "Binary message not expected.");
	return false;
}

/* The other one has gone first, so this one tells of the tunnel. */
static void log_tunnel(const struct client *client)
{
	struct log_engine *engine = monitor_log_engine(client->port->nymea->monitor);
	const struct end *end = &client->guest.relay.end;

	if (engine)
		log_engine_tunnel(engine, &(struct log_tunnel){
						  .start_s = client->met_s,
						  .user = client->guest.user,
						  .one = end->address,
						  .other = client->met_address,
						  .bytes = end->rx_bytes - client->guest.rx_before +
							   end->tx_bytes - client->tx_before,
					  });
}

static void on_parted(struct relay_end *one)
{
	if (!one->over)
		log_tunnel((struct client *)one);
	client_end((struct client *)one, "Tunnel client disconnected");
}

static void on_timer(struct relay_end *one)
{
	struct client *client = (struct client *)one;
	const struct nymea_settings *settings = client->port->nymea->settings;

	switch (client->state) {
	case CLIENT_NEW:
		client_end(client, "Proxy timeout occurred. The socket was inactive.");
		break;
	case CLIENT_ALONE:
		client_end(client, "Proxy timeout occurred. The tunnel partner did not show up.");
		break;
	case CLIENT_AUTHENTICATING:
	case CLIENT_CLAIMING:
		if (settings->authentication_timeout_ms <= settings->json_rpc_timeout_ms &&
			settings->authentication_timeout_ms <= settings->inactive_timeout_ms) {
			fail(client, "AuthenticationErrorTimeout");
		} else if (settings->json_rpc_timeout_ms <= settings->inactive_timeout_ms) {
			client_send(client, rpc_error(client->request, "Command timed out"));
			client_end(client, "API call timeouted.");
		} else {
			client_end(client, "Proxy timeout occurred. The socket was inactive.");
		}
		break;
	default:
		break;
	}
}

static const struct relay_hooks relay_hooks = {
	.received = on_received,
	.passes = passes,
	.parted = on_parted,
	.timer = on_timer,
	.closed = client_closed,
};

static void handle(struct client *client, const struct rpc_request *request)
{
	client->guest.hooks = &guest_hooks;
	authenticate(client, request);
}

const struct client_api pairing_api = {
	.methods = methods,
	.handle = handle,
	.hooks = &relay_hooks,
};
