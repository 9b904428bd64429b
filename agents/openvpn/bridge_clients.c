/* bridge_clients: who connects to the server of a bridge, is let in, and has to go. */
#include "agents/openvpn/bridge_struct.h"
#include "agents/openvpn/config.h"
#include "agents/openvpn/ways.h"

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"

#include <inttypes.h>
#include <string.h>

#define WARNINGS 3 /* before a client that stays is ended */

/* ---- going ---- */

/* Others of the same name in the certificate, who may stay. */
static bool has_namesake(const struct bridge *bridge, const struct client *client)
{
	for (const struct client *other = bridge->clients.first; other; other = other->next)
		if (other != client && other->state != CLIENT_GONE && other->warnings == 0 &&
			strcmp(other->asked.common_name, client->asked.common_name) == 0)
			return true;
	return false;
}

/* Asks it to go, which OpenVPN gives it 5 s for. When it is still there, ends it, which can be done
 * by its name only. */
static void throw_out(struct bridge *bridge, struct client *client, const char *why)
{
	const struct management_event *asked = &client->asked;

	if (client->warnings++ == 0) {
		log_info("client_out", "connection=%s why=%s", client->connection, log_value(why));
		vpn_process_say(bridge->process, "client-kill %" PRIu64 "\n", asked->client);
	} else if (client->warnings > WARNINGS && !client->obeyed &&
		   !has_namesake(bridge, client)) {
		vpn_process_say(bridge->process, "kill %s\n", asked->common_name);
	}
}

void bridge_on_unwelcome(void *context, const char *connection)
{
	struct bridge *bridge = context;
	struct client *client = clients_of_connection(&bridge->clients, connection);

	if (client == NULL)
		clients_add_gone(&bridge->clients, connection);
	else if (client->state != CLIENT_GONE && bridge->process != NULL)
		throw_out(bridge, client, "not welcome any more");
}

void bridge_set_gone(struct bridge *bridge, struct client *client)
{
	clients_set_state(client, CLIENT_GONE);
	ways_remove(&bridge->routed, &bridge->clients, client);
}

/* ---- coming ---- */

/* A certificate is in use once: who comes again from elsewhere is here before the old connection is
 * known to be dead. */
static void displace(struct bridge *bridge, const struct client *newer)
{
	for (struct client *client = bridge->clients.first; client; client = client->next)
		if (client != newer && client->connection[0] != '\0' &&
			client->state != CLIENT_GONE &&
			strcmp(client->asked.serial, newer->asked.serial) == 0)
			throw_out(bridge, client, "it came again");
}

static void let_in(
	struct bridge *bridge, struct client *client, const struct vpn_decision *decision)
{
	AUTO_FREE char *settings = config_client(&bridge->start, decision);

	strcpy(client->connection, decision->connection);
	client->ipv4 = decision->ipv4;
	client->ipv6 = decision->ipv6;
	ways_add(&bridge->routed, client);
	if (bridge->start.two_factor)
		proven_add(bridge->proven, &client->asked);
	clients_set_state(client, CLIENT_LET_IN);
	displace(bridge, client);
	log_info("client_in", "connection=%s ipv4=%s from=%s", client->connection,
		log_value(decision->ipv4.text), log_value(client->asked.address));
	vpn_process_say(bridge->process, "client-auth %" PRIu64 " %" PRIu64 "\n%s",
		client->asked.client, client->asked.key, settings);
	explicit_bzero(client->asked.password, sizeof(client->asked.password));
}

static void deny(struct bridge *bridge, const struct management_event *asked, const char *reason)
{
	log_info("client_refused", "serial=%s from=%s reason=%s", asked->serial,
		log_value(asked->address), log_value(reason));
	vpn_process_say(bridge->process, "client-deny %" PRIu64 " %" PRIu64 " \"%s\" \"%s\"\n",
		asked->client, asked->key, reason, reason);
}

void bridge_on_answered(void *context, const struct management_event *asked,
	const struct vpn_decision *decision, const struct fault *fault)
{
	struct bridge *bridge = context;
	struct client *client = clients_find(&bridge->clients, asked->client);

	if (client == NULL || client->state != CLIENT_ASKING || client->asked.key != asked->key) {
		if (decision != NULL && decision->allowed)
			clients_add_gone(&bridge->clients, decision->connection);
		return;
	}
	if (decision != NULL && decision->allowed) {
		let_in(bridge, client, decision);
		return;
	}
	if (decision != NULL)
		deny(bridge, asked, decision->reason);
	else
		log_warn("client_waits", "from=%s text=%s", log_value(asked->address),
			log_value(fault->detail));
	clients_forget(&bridge->clients, client);
}

void bridge_on_connect(struct bridge *bridge, const struct management_event *event)
{
	struct client *client = clients_find(&bridge->clients, event->client);

	if (client != NULL && client->state == CLIENT_ASKING)
		clients_forget(&bridge->clients, client);
	for (client = bridge->clients.first; client != NULL; client = client->next)
		client->obeyed |= strcmp(client->asked.common_name, event->common_name) == 0;
	clients_add(&bridge->clients, event);
	asks_add(bridge->asks, event);
}

/* It is looked at every second: new keys change nothing. */
void bridge_on_reauth(struct bridge *bridge, const struct management_event *event)
{
	const struct client *client = clients_find(&bridge->clients, event->client);

	if (client != NULL && client->state != CLIENT_ASKING && client->warnings == 0)
		vpn_process_say(bridge->process, "client-auth-nt %" PRIu64 " %" PRIu64 "\n",
			event->client, event->key);
	else
		deny(bridge, event, "connect again");
}

void bridge_on_client(struct bridge *bridge, const struct management_event *event)
{
	struct client *client = clients_find(&bridge->clients, event->client);

	if (client == NULL)
		return;
	if (event->kind == MANAGEMENT_ESTABLISHED) {
		clients_set_state(client, CLIENT_UP);
		return;
	}
	client->bytes_in = event->bytes_in;
	client->bytes_out = event->bytes_out;
	if (event->kind == MANAGEMENT_BYTES)
		return;
	bridge_set_gone(bridge, client);
	if (client->connection[0] == '\0')
		clients_forget(&bridge->clients, client);
}

void bridge_look_after(struct bridge *bridge)
{
	int64_t before_ms = clock_ms() - CLIENTS_PATIENCE_MS;

	for (struct client *client = bridge->clients.first, *next; client; client = next) {
		next = client->next;
		if (client->since_ms > before_ms)
			continue;
		if (client->state == CLIENT_LET_IN) {
			throw_out(bridge, client, "it did not go on");
			bridge_set_gone(bridge, client);
		} else if (client->state == CLIENT_ASKING) {
			clients_forget(&bridge->clients, client);
		}
	}
}
