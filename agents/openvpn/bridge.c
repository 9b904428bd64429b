/* bridge: see bridge.h. */
#include "agents/openvpn/bridge.h"

#include "agents/document.h"
#include "agents/lan/port.h"
#include "agents/lan/routed.h"
#include "agents/openvpn/asks.h"
#include "agents/openvpn/clients.h"
#include "agents/openvpn/config.h"
#include "agents/openvpn/place.h"
#include "agents/openvpn/process.h"
#include "agents/openvpn/ways.h"

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>

#define WARNINGS     3	  /* before a client that stays is ended */
#define TICK_MS	     1000 /* who is not welcome any more is out within 5 s */
#define RETRY_MS     5000
#define LAST_MS	     5000 /* for the last report */
#define REPORT_MAX   200
#define AGAIN_MS     2000
#define ATTEMPTS_MAX 8 /* an OpenVPN of before may still be ending */
#define RENEWAL_MS   (24 * 3600 * 1000)

enum phase {
	BRIDGE_BEGINNING, /* asks the portal how */
	BRIDGE_RUNNING,
	BRIDGE_ENDING,	   /* the server was told to end */
	BRIDGE_CONCLUDING, /* it has ended; the portal is told of its clients */
};

struct bridge {
	struct bridge_options options;
	struct vpn_place place;
	struct vpn_start start;
	struct vpn_process *process;
	struct asks *asks;
	struct proven *proven; /* of this run of OpenVPN */
	struct clients clients;
	struct routed routed; /* with the mode tun */
	enum phase phase;
	bool well;	   /* the end was asked for */
	bool renewing;	   /* begins anew after it */
	bool up;	   /* the server listens */
	unsigned attempts; /* that ended before that */
	bool unheard;	   /* the last report did not arrive */
	struct fetch *begin, *report;
	struct loop_timer tick, renewal;
};

/* ---- the end ---- */

static void finish(struct bridge *bridge)
{
	loop_clear_timer(bridge->options.loop, &bridge->tick);
	if (bridge->renewing) {
		bridge->renewing = false;
		bridge->phase = BRIDGE_BEGINNING;
		loop_set_timer(bridge->options.loop, &bridge->tick, clock_ms() + AGAIN_MS);
		return;
	}
	bridge->options.finished(bridge->options.context, bridge->well);
}

static void send_report(struct bridge *bridge);

static void set_gone(struct bridge *bridge, struct client *client)
{
	clients_set_state(client, CLIENT_GONE);
	ways_remove(&bridge->routed, &bridge->clients, client);
}

/* Tells the portal of all that are gone with the server. */
static void conclude(struct bridge *bridge)
{
	struct loop *loop = bridge->options.loop;

	bridge->phase = BRIDGE_CONCLUDING;
	for (struct client *client = bridge->clients.first; client; client = client->next)
		set_gone(bridge, client);
	routed_close(&bridge->routed);
	loop_set_timer(loop, &bridge->tick, clock_ms() + LAST_MS);
	if (bridge->report == NULL)
		send_report(bridge);
}

static void end_process(struct bridge *bridge)
{
	if (bridge->phase == BRIDGE_BEGINNING) {
		finish(bridge);
	} else if (bridge->phase == BRIDGE_RUNNING) {
		bridge->phase = BRIDGE_ENDING;
		vpn_process_stop(bridge->process);
	}
}

/* Goes on no more. */
static void fail(struct bridge *bridge, const char *event, const char *text)
{
	log_error(event, "text=%s", log_value(text));
	bridge->well = bridge->renewing = false;
	end_process(bridge);
}

void bridge_stop(struct bridge *bridge)
{
	bridge->well = true;
	bridge->renewing = false;
	end_process(bridge);
}

static void on_ended(void *context, int status)
{
	struct bridge *bridge = context;

	if (bridge->phase == BRIDGE_RUNNING) {
		log_error("openvpn_ended", "status=%d action=\"see what OpenVPN says above\"",
			status);
		bridge->renewing = !bridge->up && ++bridge->attempts < ATTEMPTS_MAX;
	}
	asks_destroy(bridge->asks);
	bridge->asks = NULL;
	proven_destroy(bridge->proven);
	bridge->proven = NULL;
	vpn_process_destroy(bridge->process);
	bridge->process = NULL;
	conclude(bridge);
}

/* ---- reports ---- */

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

static void on_unwelcome(void *context, const char *connection)
{
	struct bridge *bridge = context;
	struct client *client = clients_of_connection(&bridge->clients, connection);

	if (client == NULL)
		clients_add_gone(&bridge->clients, connection);
	else if (client->state != CLIENT_GONE && bridge->process != NULL)
		throw_out(bridge, client, "not welcome any more");
}

/* The portal may be away for a while: it will hear later. */
static void note_unheard(struct bridge *bridge, const struct fault *fault)
{
	if (!bridge->unheard)
		log_warn("report",
			"text=%s action=\"clients stay meanwhile, new ones have to wait\"",
			log_value(fault->detail));
	bridge->unheard = true;
}

static bool has_news(const struct bridge *bridge)
{
	for (const struct client *client = bridge->clients.first; client; client = client->next)
		if (client->connection[0] != '\0')
			return true;
	return false;
}

static void on_reported(void *context, const struct fetch_reply *reply)
{
	struct bridge *bridge = context;
	struct fault fault = { 0 };
	err_t err;

	bridge->report = NULL;
	err = authority_reported(reply, on_unwelcome, bridge, &fault);
	clients_reported(&bridge->clients, err == OK);
	if (err == OK)
		bridge->unheard = false;
	else if (authority_is_busy(reply))
		note_unheard(bridge, &fault);
	else
		fail(bridge, "report", fault.detail);
	if (bridge->phase != BRIDGE_CONCLUDING)
		return;
	if (err == OK && has_news(bridge))
		send_report(bridge);
	else
		finish(bridge);
}

static void send_report(struct bridge *bridge)
{
	const struct bridge_options *options = &bridge->options;

	bridge->report = authority_report(options->fetcher, options->device, &bridge->start,
		clients_report(&bridge->clients, REPORT_MAX), on_reported, bridge);
}

/* ---- clients ---- */

static void on_dismissed(void *context, const struct fault *fault)
{
	fail(context, "dismissed", fault->detail);
}

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

static void on_answered(void *context, const struct management_event *asked,
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

static void on_connect(struct bridge *bridge, const struct management_event *event)
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
static void on_reauth(struct bridge *bridge, const struct management_event *event)
{
	const struct client *client = clients_find(&bridge->clients, event->client);

	if (client != NULL && client->state != CLIENT_ASKING && client->warnings == 0)
		vpn_process_say(bridge->process, "client-auth-nt %" PRIu64 " %" PRIu64 "\n",
			event->client, event->key);
	else
		deny(bridge, event, "connect again");
}

static void on_client(struct bridge *bridge, const struct management_event *event)
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
	set_gone(bridge, client);
	if (client->connection[0] == '\0')
		clients_forget(&bridge->clients, client);
}

/* OpenVPN says nothing of clients that go before they have their settings. */
static void look_after(struct bridge *bridge)
{
	int64_t before_ms = clock_ms() - CLIENTS_PATIENCE_MS;

	for (struct client *client = bridge->clients.first, *next; client; client = next) {
		next = client->next;
		if (client->since_ms > before_ms)
			continue;
		if (client->state == CLIENT_LET_IN) {
			throw_out(bridge, client, "it did not go on");
			set_gone(bridge, client);
		} else if (client->state == CLIENT_ASKING) {
			clients_forget(&bridge->clients, client);
		}
	}
}

/* ---- the server ---- */

static void on_up(struct bridge *bridge)
{
	const struct bridge_options *options = &bridge->options;
	struct fault fault;
	err_t err;

	bridge->up = true;
	bridge->attempts = 0;
	log_info("up", "server=%s interface=%s port=%u", bridge->start.server, options->interface,
		bridge->start.port);
	if (bridge->start.tun)
		err = routed_open(&bridge->routed, options->netns, options->interface,
			options->uplink, &fault);
	else
		err = port_join(options->netns, options->interface, options->join, &fault);
	if (err != OK)
		fail(bridge, "interface", fault.detail);
}

static void on_happened(void *context, const struct management_event *event)
{
	struct bridge *bridge = context;

	switch (event->kind) {
	case MANAGEMENT_CONNECT:
		on_connect(bridge, event);
		break;
	case MANAGEMENT_REAUTH:
		on_reauth(bridge, event);
		break;
	case MANAGEMENT_ESTABLISHED:
	case MANAGEMENT_DISCONNECT:
	case MANAGEMENT_BYTES:
		on_client(bridge, event);
		break;
	case MANAGEMENT_UP:
		on_up(bridge);
		break;
	case MANAGEMENT_FATAL:
		log_error("openvpn", "text=%s", log_value(event->text));
		break;
	case MANAGEMENT_ERROR: /* mostly of a client that has gone meanwhile */
		log_info("openvpn", "text=%s", log_value(event->text));
		break;
	}
}

static void begin(struct bridge *bridge);

static void on_tick(void *context)
{
	struct bridge *bridge = context;

	if (bridge->phase == BRIDGE_BEGINNING) {
		begin(bridge);
		return;
	}
	if (bridge->phase == BRIDGE_CONCLUDING) {
		finish(bridge);
		return;
	}
	loop_set_timer(bridge->options.loop, &bridge->tick, clock_ms() + TICK_MS);
	look_after(bridge);
	ways_keep(&bridge->routed, &bridge->clients);
	if (bridge->report == NULL)
		send_report(bridge);
}

static void on_renewal(void *context)
{
	struct bridge *bridge = context;

	loop_set_timer(bridge->options.loop, &bridge->renewal, clock_ms() + RENEWAL_MS);
	if (bridge->phase != BRIDGE_RUNNING || vpn_place_is_good(&bridge->place))
		return;
	log_info("renewal", "text=\"the server's certificate ends soon: it begins anew\"");
	bridge->renewing = true;
	end_process(bridge);
}

/* ---- how it begins ---- */

static err_t run(struct bridge *bridge, struct fault *fault)
{
	const struct bridge_options *options = &bridge->options;
	err_t err;

	if ((!bridge->start.tun &&
		    (err = port_make_bridge(options->netns, options->join, fault)) != OK) ||
		(err = vpn_place_write(
			 &bridge->place, &bridge->start, options->interface, fault)) != OK)
		return err;
	err = vpn_process_start(&bridge->process,
		&(struct vpn_process_options){ options->loop, bridge->place.dir, options->netns,
			bridge, on_happened, on_ended },
		fault);
	if (err != OK)
		return err;
	bridge->proven = proven_create();
	bridge->asks = asks_create(
		&(struct asks_options){ options->loop, options->fetcher, options->device,
			&bridge->start, bridge->proven, bridge, on_answered, on_dismissed });
	bridge->phase = BRIDGE_RUNNING;
	bridge->up = false;
	loop_set_timer(options->loop, &bridge->tick, clock_ms() + TICK_MS);
	return OK;
}

/* The certificate that is kept may be for another server or name than this one. */
static void on_begun(void *context, const struct fetch_reply *reply)
{
	struct bridge *bridge = context;
	struct fault fault;
	err_t err;

	bridge->begin = NULL;
	clients_finish(&bridge->clients);
	vpn_start_finish(&bridge->start);
	err = authority_started(reply, &bridge->start, &fault);
	if (err != OK && authority_is_busy(reply)) {
		log_warn("begin", "text=%s", log_value(fault.detail));
		loop_set_timer(bridge->options.loop, &bridge->tick, clock_ms() + RETRY_MS);
		return;
	}
	if (err == OK && !vpn_place_fits(&bridge->place, &bridge->start) &&
		(err = vpn_place_forget(&bridge->place, &fault)) == OK) {
		begin(bridge);
		return;
	}
	if (err == OK)
		err = run(bridge, &fault);
	if (err != OK)
		fail(bridge, "begin", fault.detail);
}

static void begin(struct bridge *bridge)
{
	const struct bridge_options *options = &bridge->options;
	AUTO_FREE char *csr = NULL;
	struct fault fault;

	bridge->phase = BRIDGE_BEGINNING;
	if (!vpn_place_is_good(&bridge->place) &&
		vpn_place_request(&bridge->place, &csr, &fault) != OK) {
		fail(bridge, "begin", fault.detail);
		return;
	}
	bridge->begin = authority_start(
		options->fetcher, options->device, options->server, csr, on_begun, bridge);
}

err_t bridge_create(struct bridge **out, const struct bridge_options *options, struct fault *fault)
{
	struct bridge *bridge = xcalloc(1, sizeof(*bridge));
	err_t err;

	bridge->options = *options;
	bridge->tick = (struct loop_timer){ .fire = on_tick, .context = bridge };
	bridge->renewal = (struct loop_timer){ .fire = on_renewal, .context = bridge };
	if ((err = vpn_place_open(&bridge->place, options->state, fault)) != OK) {
		bridge_destroy(bridge);
		return err;
	}
	loop_set_timer(options->loop, &bridge->renewal, clock_ms() + RENEWAL_MS);
	loop_set_timer(options->loop, &bridge->tick, clock_ms()); /* begins there */
	*out = bridge;
	return OK;
}

void bridge_destroy(struct bridge *bridge)
{
	if (bridge == NULL)
		return;
	loop_clear_timer(bridge->options.loop, &bridge->tick);
	loop_clear_timer(bridge->options.loop, &bridge->renewal);
	fetch_cancel(bridge->begin);
	fetch_cancel(bridge->report);
	asks_destroy(bridge->asks);
	proven_destroy(bridge->proven);
	vpn_process_destroy(bridge->process);
	clients_finish(&bridge->clients);
	vpn_start_finish(&bridge->start);
	routed_close(&bridge->routed);
	vpn_place_close(&bridge->place);
	free(bridge);
}

/* ---- how it is ---- */

static const char *state_of(const struct bridge *bridge)
{
	if (bridge->phase == BRIDGE_ENDING || bridge->phase == BRIDGE_CONCLUDING)
		return "stopping";
	if (bridge->phase == BRIDGE_BEGINNING || !bridge->up)
		return "starting";
	return bridge->unheard ? "disconnected" : "connected";
}

char *bridge_status(const struct bridge *bridge)
{
	const struct bridge_options *options = &bridge->options;
	json_int_t n = 0;

	for (const struct client *client = bridge->clients.first; client; client = client->next)
		n += client->state == CLIENT_UP;
	AUTO_DOCUMENT status = json_pack("{s:s, s:s, s:s, s:s, s:s*, s:s, s:I, s:I}", "command",
		"openvpn", "state", state_of(bridge), "device", options->device->id, "interface",
		options->interface, "netns", options->netns, "server", bridge->start.server, "port",
		(json_int_t)bridge->start.port, "clients", n);
	return json_dumps(status, JSON_COMPACT);
}
