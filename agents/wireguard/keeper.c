/* keeper: see keeper.h. */
#include "agents/wireguard/keeper.h"

#include "agents/document.h"
#include "agents/lan/routed.h"
#include "agents/portal.h"
#include "agents/wireguard/roster.h"
#include "agents/wireguard/wg_interface.h"
#include "agents/wireguard/wg_key.h"

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define TICK_MS	 500 /* an app waits for its peer; who has to go is out within 5 s */
#define LOOK_MS	 5000
#define RAISE_MS 100
#define RAISES	 100 /* ten seconds for wireguard-go */
#define RETRY_MS 5000

enum phase {
	KEEPER_BEGINNING, /* asks the portal how */
	KEEPER_RAISING,	  /* the interface comes */
	KEEPER_RUNNING,
	KEEPER_FINISHED,
};

struct keeper {
	struct keeper_options options;
	struct wg_key key;
	struct roster_start start;
	struct roster roster; /* as the interface has it */
	struct wg_interface *interface;
	struct routed routed;
	enum phase phase;
	unsigned raises; /* times that the interface was looked for */
	bool unheard;	 /* the portal was not reached last */
	int64_t looked_ms;
	struct fetch *fetch;
	struct loop_timer tick;
};

static void finish(struct keeper *keeper, bool well)
{
	if (keeper->phase == KEEPER_FINISHED)
		return;
	keeper->phase = KEEPER_FINISHED;
	loop_clear_timer(keeper->options.loop, &keeper->tick);
	keeper->options.finished(keeper->options.context, well);
}

static void fail(struct keeper *keeper, const char *event, const struct fault *fault)
{
	log_error(event, "text=%s", log_value(fault->detail));
	finish(keeper, false);
}

void keeper_stop(struct keeper *keeper)
{
	finish(keeper, true);
}

static void set_tick(struct keeper *keeper, int64_t after_ms)
{
	loop_set_timer(keeper->options.loop, &keeper->tick, clock_ms() + after_ms);
}

/* ---- ways to the peers ---- */

static void change_way(struct keeper *keeper, const struct address *address,
	bool (*change)(struct routed *routed, const struct address *address))
{
	if (!change(&keeper->routed, address))
		LOG_THROTTLED(LOG_LEVEL_WARN, "route", "to=%s text=%s", address->text,
			log_value(strerror(errno)));
}

static void change_ways(struct keeper *keeper, const struct roster_peer *peer,
	bool (*change)(struct routed *routed, const struct address *address))
{
	change_way(keeper, &peer->ipv4, change);
	change_way(keeper, &peer->ipv6, change);
}

/* Both addresses of a peer go with its number in the network. */
static bool has_place(const struct roster *roster, const struct roster_peer *peer)
{
	for (size_t i = 0; i < roster->n; i++)
		if (strcmp(roster->peers[i].ipv4.text, peer->ipv4.text) == 0 &&
			strcmp(roster->peers[i].ipv6.text, peer->ipv6.text) == 0)
			return true;
	return false;
}

/* An uplink that has come again knows none of them. */
static void keep_ways(struct keeper *keeper)
{
	unsigned before = keeper->routed.uplink_index;

	if (!routed_keep(&keeper->routed) || keeper->routed.uplink_index == before)
		return;
	for (size_t i = 0; i < keeper->roster.n; i++)
		change_ways(keeper, &keeper->roster.peers[i], routed_add);
}

/* ---- peers ---- */

static err_t set_interface(
	const struct keeper *keeper, const struct roster *roster, struct fault *fault)
{
	char *config = roster_config(roster, &keeper->start, &keeper->key);
	err_t err = wg_interface_set(keeper->interface, config, fault);

	explicit_bzero(config, strlen(config));
	free(config);
	return err;
}

static bool has_peer(const struct roster *roster, const struct roster_peer *peer)
{
	for (size_t i = 0; i < roster->n; i++)
		if (strcmp(roster->peers[i].id, peer->id) == 0)
			return true;
	return false;
}

/* Those of one that are not in the other. */
static void note_changes(const struct roster *one, const struct roster *other, const char *event)
{
	for (size_t i = 0; i < one->n; i++)
		if (!has_peer(other, &one->peers[i]))
			log_info(event, "peer=%s ipv4=%s", one->peers[i].id,
				log_value(one->peers[i].ipv4.text));
}

/* Takes `next`. */
static void apply(struct keeper *keeper, struct roster *next)
{
	struct fault fault;

	if (set_interface(keeper, next, &fault) != OK) {
		roster_finish(next);
		fail(keeper, "interface", &fault);
		return;
	}
	for (size_t i = 0; i < keeper->roster.n; i++)
		if (!has_place(next, &keeper->roster.peers[i]))
			change_ways(keeper, &keeper->roster.peers[i], routed_remove);
	for (size_t i = 0; i < next->n; i++)
		change_ways(keeper, &next->peers[i], routed_add);
	note_changes(next, &keeper->roster, "peer_in");
	note_changes(&keeper->roster, next, "peer_out");
	roster_finish(&keeper->roster);
	keeper->roster = *next;
}

/* Also while the portal is away. */
static void expire(struct keeper *keeper)
{
	struct fault fault;

	if (roster_expire(&keeper->roster, clock_unix_ms() / 1000) &&
		set_interface(keeper, &keeper->roster, &fault) != OK)
		fail(keeper, "interface", &fault);
}

static void look(struct keeper *keeper)
{
	AUTO_FREE char *dump = NULL;
	struct fault fault;

	if (clock_ms() < keeper->looked_ms + LOOK_MS)
		return;
	keeper->looked_ms = clock_ms();
	if (!wg_interface_is_there(keeper->interface)) {
		(void)fault_set(&fault, ERR_NOT_FOUND, "interface",
			"somebody has removed the interface %.40s", keeper->options.interface);
		fail(keeper, "interface", &fault);
		return;
	}
	if (keeper->roster.n == 0)
		return;
	if (wg_interface_dump(keeper->interface, &dump, &fault) == OK)
		roster_see(&keeper->roster, dump);
	else
		log_warn("dump", "text=%s", log_value(fault.detail));
}

/* ---- the portal ---- */

/* It may be away for a while: peers stay as they are. */
static void note_unheard(struct keeper *keeper, const struct fault *fault)
{
	if (!keeper->unheard)
		log_warn("sync", "text=%s action=\"peers stay meanwhile, new ones have to wait\"",
			log_value(fault->detail));
	keeper->unheard = true;
}

static void sync_now(struct keeper *keeper);

static void on_synced(void *context, const struct fetch_reply *reply)
{
	struct keeper *keeper = context;
	struct roster next;
	struct fault fault;
	bool same;

	keeper->fetch = NULL;
	if (keeper->phase != KEEPER_RUNNING)
		return;
	if (roster_synced(reply, &keeper->roster, &next, &same, &fault) != OK) {
		if (portal_is_busy(reply))
			note_unheard(keeper, &fault);
		else
			fail(keeper, "dismissed", &fault);
		return;
	}
	keeper->unheard = false;
	if (same)
		return;
	apply(keeper, &next);
	if (keeper->phase == KEEPER_RUNNING)
		sync_now(keeper); /* apps wait for their peers to be set */
}

static void sync_now(struct keeper *keeper)
{
	const struct keeper_options *options = &keeper->options;

	keeper->fetch = roster_sync(options->fetcher, options->device, &keeper->start,
		&keeper->roster, on_synced, keeper);
}

static void keep(struct keeper *keeper)
{
	set_tick(keeper, TICK_MS);
	keep_ways(keeper);
	expire(keeper);
	if (keeper->phase != KEEPER_RUNNING || keeper->fetch != NULL)
		return;
	look(keeper);
	if (keeper->phase == KEEPER_RUNNING)
		sync_now(keeper);
}

/* ---- the interface ---- */

static err_t set_up(struct keeper *keeper, struct fault *fault)
{
	const struct keeper_options *options = &keeper->options;
	err_t err;

	if ((err = set_interface(keeper, &keeper->roster, fault)) != OK ||
		(err = wg_interface_set_mtu(keeper->interface, keeper->start.mtu, fault)) != OK ||
		(err = routed_open(&keeper->routed, options->netns, options->interface,
			 options->uplink, fault)) != OK)
		return err;
	log_info("up", "server=%s interface=%s port=%u", keeper->start.server, options->interface,
		keeper->start.port);
	keeper->phase = KEEPER_RUNNING;
	keep(keeper);
	return OK;
}

static void raise_it(struct keeper *keeper)
{
	struct fault fault;

	if (wg_interface_is_there(keeper->interface)) {
		if (set_up(keeper, &fault) != OK)
			fail(keeper, "interface", &fault);
		return;
	}
	set_tick(keeper, RAISE_MS);
	if (++keeper->raises > RAISES) {
		(void)fault_set(&fault, ERR_DEADLINE_EXCEEDED, "interface",
			"wireguard-go made no interface %.40s", keeper->options.interface);
		fail(keeper, "interface", &fault);
	}
}

static void on_ended(void *context, int status)
{
	struct keeper *keeper = context;

	log_error("wireguard_go_ended",
		"status=%d action=\"see what it says above; is wireguard-go installed?\"", status);
	finish(keeper, false);
}

/* ---- how it begins ---- */

static void on_begun(void *context, const struct fetch_reply *reply)
{
	struct keeper *keeper = context;
	const struct keeper_options *options = &keeper->options;
	struct fault fault;
	err_t err;

	keeper->fetch = NULL;
	if (keeper->phase != KEEPER_BEGINNING)
		return;
	err = roster_begun(reply, &keeper->start, &fault);
	if (err != OK && portal_is_busy(reply)) {
		log_warn("begin", "text=%s", log_value(fault.detail));
		set_tick(keeper, RETRY_MS);
		return;
	}
	if (err == OK)
		err = wg_interface_open(&keeper->interface,
			&(struct wg_interface_options){ options->loop, options->dir, options->netns,
				options->interface, keeper, on_ended },
			&fault);
	if (err != OK) {
		fail(keeper, "begin", &fault);
		return;
	}
	keeper->phase = KEEPER_RAISING;
	set_tick(keeper, 0);
}

static void begin(struct keeper *keeper)
{
	const struct keeper_options *options = &keeper->options;

	keeper->fetch = roster_begin(options->fetcher, options->device, options->server,
		keeper->key.public, on_begun, keeper);
}

static void on_tick(void *context)
{
	struct keeper *keeper = context;

	if (keeper->phase == KEEPER_BEGINNING)
		begin(keeper);
	else if (keeper->phase == KEEPER_RAISING)
		raise_it(keeper);
	else
		keep(keeper);
}

err_t keeper_create(struct keeper **out, const struct keeper_options *options, struct fault *fault)
{
	struct keeper *keeper = xcalloc(1, sizeof(*keeper));
	err_t err;

	keeper->options = *options;
	keeper->tick = (struct loop_timer){ .fire = on_tick, .context = keeper };
	if ((err = wg_key_open(options->dir, &keeper->key, fault)) != OK) {
		keeper_destroy(keeper);
		return err;
	}
	set_tick(keeper, 0);
	*out = keeper;
	return OK;
}

void keeper_destroy(struct keeper *keeper)
{
	if (keeper == NULL)
		return;
	loop_clear_timer(keeper->options.loop, &keeper->tick);
	fetch_cancel(keeper->fetch);
	/* The kernel would go on answering for them at the uplink. */
	for (size_t i = 0; keeper->routed.netlink != NULL && i < keeper->roster.n; i++)
		change_ways(keeper, &keeper->roster.peers[i], routed_remove);
	routed_close(&keeper->routed);
	wg_interface_close(keeper->interface);
	roster_finish(&keeper->roster);
	explicit_bzero(keeper, sizeof(*keeper));
	free(keeper);
}

/* ---- how it is ---- */

char *keeper_status(const struct keeper *keeper)
{
	const struct keeper_options *options = &keeper->options;
	const char *state = keeper->phase != KEEPER_RUNNING ? "starting"
			    : keeper->unheard		    ? "disconnected"
							    : "connected";
	AUTO_DOCUMENT status = json_pack("{s:s, s:s, s:s, s:s, s:s*, s:s, s:I, s:I}", "command",
		"wireguard", "state", state, "device", options->device->id, "interface",
		options->interface, "netns", options->netns, "server", keeper->start.server, "port",
		(json_int_t)keeper->start.port, "peers", (json_int_t)keeper->roster.n);

	return json_dumps(status, JSON_COMPACT);
}
