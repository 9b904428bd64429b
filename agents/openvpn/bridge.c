/* bridge: see bridge.h. */
#include "agents/openvpn/bridge_struct.h"
#include "agents/portal.h"

#include "agents/document.h"
#include "agents/lan/port.h"
#include "agents/openvpn/ways.h"

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"

#define TICK_MS	     1000 /* who is not welcome any more is out within 5 s */
#define RETRY_MS     5000
#define LAST_MS	     5000 /* for the last report */
#define REPORT_MAX   200
#define AGAIN_MS     2000
#define ATTEMPTS_MAX 8 /* an OpenVPN of before may still be ending */
#define RENEWAL_MS   (24 * 3600 * 1000)

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

/* Tells the portal of all that are gone with the server. */
static void conclude(struct bridge *bridge)
{
	struct loop *loop = bridge->options.loop;

	bridge->phase = BRIDGE_CONCLUDING;
	for (struct client *client = bridge->clients.first; client; client = client->next)
		bridge_set_gone(bridge, client);
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
	err = authority_reported(reply, bridge_on_unwelcome, bridge, &fault);
	clients_reported(&bridge->clients, err == OK);
	if (err == OK)
		bridge->unheard = false;
	else if (portal_is_busy(reply))
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
		bridge_on_connect(bridge, event);
		break;
	case MANAGEMENT_REAUTH:
		bridge_on_reauth(bridge, event);
		break;
	case MANAGEMENT_ESTABLISHED:
	case MANAGEMENT_DISCONNECT:
	case MANAGEMENT_BYTES:
		bridge_on_client(bridge, event);
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
	bridge_look_after(bridge);
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

static void on_dismissed(void *context, const struct fault *fault)
{
	fail(context, "dismissed", fault->detail);
}

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
			&bridge->start, bridge->proven, bridge, bridge_on_answered, on_dismissed });
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
	if (err != OK && portal_is_busy(reply)) {
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
