/* agent: see agent.h. */
#include "agents/agent_struct.h"

#include "agents/portal.h"

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"

#include <sodium.h>

#include <stdio.h>
#include <string.h>

#define TOKEN_SPARE_MS 10000 /* a token that ends sooner is not shown to a node any more */
#define HOPS_MAX       3     /* redirections in a row */

/* Keeps the problem for the status; a line in the log only when it is another than before. */
static void tell_problem(struct agent *agent, const char *what, const char *detail)
{
	char text[sizeof(agent->problem)];

	snprintf(text, sizeof(text), "%s%s%s", what, *what != '\0' ? ": " : "", detail);
	agent->problem_at_s = clock_unix_ms() / 1000;
	if (agent->problem_told && strcmp(text, agent->problem) == 0)
		return;
	agent->problem_told = true;
	memcpy(agent->problem, text, sizeof(text));
	log_warn("problem", "interface=%s text=%s", agent->options.tap->name, log_value(text));
}

/* ---- hooks ---- */

static void run_hook(struct agent *agent, enum hook hook, void (*done)(void *context, bool ok))
{
	const struct attachment *attachment = &agent->attachment;
	char url[URL_TEXT_MAX], mac[18];
	AUTO_FREE char *text = NULL;
	const char *variables[16] = { NULL };
	size_t n = 0;

	agent_mac_text(attachment->mac, mac);
	url_text(&agent->url, url);
	text = xasprintf("LANYARD_HOOK=%s%cLANYARD_INTERFACE=%s%cLANYARD_MAC=%s%cLANYARD_MTU=%u%c"
			 "LANYARD_IPV4=%s%cLANYARD_IPV6=%s%cLANYARD_NETWORK=%s%cLANYARD_URL=%s%c"
			 "LANYARD_REASON=%s%c",
		hook_name(hook), 0, agent->options.tap->name, 0, mac, 0, attachment->mtu, 0,
		attachment->ipv4.text, 0, attachment->ipv6.text, 0, attachment->network, 0, url, 0,
		hook == HOOK_RECONNECT ? agent->problem : "", 0);
	for (char *at = text; *at != '\0'; at += strlen(at) + 1)
		variables[n++] = at;
	hooks_run(agent->options.hooks, hook, variables, done, agent);
}

static void connect_or_attach(struct agent *agent);

static void wait_ms(struct agent *agent, int64_t delay_ms)
{
	agent->state = WAITING;
	loop_set_timer(agent->options.loop, &agent->retry, clock_ms() + delay_ms);
}

static void on_retry(void *context)
{
	connect_or_attach(context);
}

/* ---- the session ---- */

static void on_opened(void *context, struct session *session)
{
	struct agent *agent = context;
	char url[URL_TEXT_MAX];

	if (session == agent->move.next)
		move_opened(agent);
	agent->state = CONNECTED;
	agent->connected_at_s = clock_unix_ms() / 1000;
	agent->sessions++;
	agent->hops = 0;
	agent->problem_told = false;
	url_text(&agent->url, url);
	if (hooks_has(agent->options.hooks, agent->sessions == 1 ? HOOK_UP : HOOK_RECONNECT))
		run_hook(agent, agent->sessions == 1 ? HOOK_UP : HOOK_RECONNECT, NULL);
	log_info("connected", "interface=%s network=%s url=%s", agent->options.tap->name,
		agent->attachment.network, log_value(url));
}

static void on_moves(void *context, uint32_t window_ms)
{
	move_begin(context, window_ms);
}

static void dial(struct agent *agent, const struct url *url);

static void on_down_ended(void *context, bool ok)
{
	struct agent *agent = context;

	(void)ok;
	agent->options.stopped(agent->options.context);
}

/* The session, if there was one, is closed. */
static void finish_stop(struct agent *agent)
{
	if (agent->prepared && hooks_has(agent->options.hooks, HOOK_DOWN))
		run_hook(agent, HOOK_DOWN, on_down_ended);
	else
		agent->options.stopped(agent->options.context);
}

bool agent_follow(
	struct agent *agent, const struct session_end *end, struct url *url, unsigned *hops)
{
	struct url next;
	struct fault fault;

	if (end->location[0] == '\0' || end->ending.status < 300 || end->ending.status > 399 ||
		++*hops > HOPS_MAX)
		return false;
	if (url_follow(&next, url, end->location, &fault) != OK) {
		tell_problem(agent, "redirection", fault.detail);
		return false;
	}
	*url = next;
	return true;
}

static void on_ended(void *context, struct session *session, const struct session_end *session_end)
{
	struct agent *agent = context;
	struct session_end end = *session_end;
	char url[URL_TEXT_MAX];
	struct plan plan;

	if (move_ended(agent, session, session_end))
		return;
	url_text(&agent->url, url);
	session_destroy(agent->session);
	agent->session = NULL;
	if (agent->state == STOPPING) {
		loop_clear_timer(agent->options.loop, &agent->renew);
		finish_stop(agent);
		return;
	}
	if (move_takes_over(agent))
		return;
	loop_clear_timer(agent->options.loop, &agent->renew);
	if (agent_follow(agent, &end, &agent->url, &agent->hops)) {
		dial(agent, &agent->url);
		return;
	}
	tell_problem(agent, url, end.why);
	agent->hops = 0;
	plan = backoff_plan(
		&agent->backoff, &end.ending, agent->attachment.n_urls, randombytes_random());
	agent->refresh = agent->options.device != NULL && (agent->refresh || plan.attach);
	wait_ms(agent, plan.delay_ms);
}

static void on_tap_gone(void *context)
{
	struct agent *agent = context;

	log_error("interface_gone", "interface=%s: somebody deleted it or its network namespace",
		agent->options.tap->name);
	agent->options.failed(agent->options.context);
}

/* A token says all about a member but the MAC address that it chose; without one the server is told
 * what vpn-ws wants to know. */
static struct upgrade_request request_of(const struct agent *agent, const struct url *url)
{
	const char *authorization = agent->attachment.authorization;

	return (struct upgrade_request){
		.url = url,
		.authorization = authorization[0] != '\0' ? authorization : NULL,
		.mac = agent->attachment.own_mac ? agent->attachment.mac : NULL,
		.bridge = agent->options.bridge,
	};
}

struct session *agent_dial(struct agent *agent, const struct url *url)
{
	return session_create(&(struct session_options){
		.loop = agent->options.loop,
		.fetcher = agent->fetcher,
		.trust = agent->options.trust,
		.congestion = agent->options.congestion,
		.tap = agent->options.tap,
		.mtu = agent->attachment.mtu,
		.request = request_of(agent, url),
		.vpn_ws = agent->options.device == NULL,
		.context = agent,
		.opened = on_opened,
		.ended = on_ended,
		.moves = on_moves,
		.tap_gone = on_tap_gone,
	});
}

static void dial(struct agent *agent, const struct url *url)
{
	agent->state = CONNECTING;
	agent->url = *url;
	agent->session = agent_dial(agent, &agent->url);
}

static void dial_next(struct agent *agent)
{
	dial(agent, &agent->attachment.urls[agent->backoff.url % agent->attachment.n_urls]);
}

static void on_prepared(void *context, bool ok)
{
	struct agent *agent = context;

	if (agent->state != PREPARING)
		return;
	agent->prepared = ok;
	if (ok)
		dial_next(agent);
	else
		agent->options.failed(agent->options.context);
}

/* The interface is as it shall be: the operator's command comes before the first connection. */
static void prepare(struct agent *agent)
{
	agent->url = agent->attachment.urls[0];
	if (agent->prepared || !hooks_has(agent->options.hooks, HOOK_EXEC)) {
		agent->prepared = true;
		dial_next(agent);
		return;
	}
	agent->state = PREPARING;
	run_hook(agent, HOOK_EXEC, on_prepared);
}

/* ---- the attachment ---- */

/* The same at each start, so that neighbours and DHCP servers know the device again. */
static void choose_mac(const struct agent *agent, struct attachment *attachment)
{
	uint8_t hash[crypto_generichash_BYTES_MIN];
	crypto_generichash_state state;
	const char *id = agent->options.device->id;

	crypto_generichash_init(&state, NULL, 0, sizeof(hash));
	crypto_generichash_update(&state, (const uint8_t *)id, strlen(id) + 1);
	crypto_generichash_update(
		&state, (const uint8_t *)attachment->network, strlen(attachment->network));
	crypto_generichash_final(&state, hash, sizeof(hash));
	memcpy(attachment->mac, hash, sizeof(attachment->mac));
	attachment->mac[0] =
		(uint8_t)((attachment->mac[0] & 0xfc) | 0x02); /* local, one station's */
}

static err_t set_interface(
	struct agent *agent, const struct attachment *attachment, struct fault *fault)
{
	struct link_config config = {
		.mtu = attachment->mtu,
		.ipv4 = attachment->ipv4,
		.ipv6 = attachment->ipv6,
	};

	memcpy(config.mac, attachment->mac, sizeof(config.mac));
	return link_apply(agent->options.link, &config, fault);
}

/* Must the session begin anew to use the new attachment? */
static bool is_other(const struct attachment *old, const struct attachment *new)
{
	return memcmp(old->mac, new->mac, sizeof(old->mac)) != 0 ||
	       strcmp(old->network, new->network) != 0 || strcmp(old->tenant, new->tenant) != 0;
}

static void use_attachment(struct agent *agent, const struct attachment *attachment)
{
	bool other = agent->attached && is_other(&agent->attachment, attachment);
	int64_t lifetime_ms = attachment->expires_in_s * INT64_C(1000);

	agent->attachment = *attachment;
	agent->attached = true;
	agent->refresh = false;
	agent->token_ends_ms = clock_ms() + lifetime_ms;
	loop_set_timer(agent->options.loop, &agent->renew,
		clock_ms() + backoff_refresh_ms(lifetime_ms, randombytes_random()));
	if (agent->state == ATTACHING)
		prepare(agent);
	else if (other && agent->session != NULL)
		session_close(agent->session);
}

static void on_attached(void *context, const struct fetch_reply *reply)
{
	struct agent *agent = context;
	struct attachment attachment = { 0 };
	struct fault fault;
	err_t err;

	agent->fetch = NULL;
	err = portal_attached(reply, &attachment, &fault);
	if (err == OK && attachment.own_mac)
		choose_mac(agent, &attachment);
	if (err == OK)
		err = set_interface(agent, &attachment, &fault);
	if (err == OK) {
		use_attachment(agent, &attachment);
		return;
	}
	tell_problem(agent, agent->options.device->url, fault.detail);
	if (agent->state == ATTACHING)
		wait_ms(agent, backoff_retry_ms(&agent->backoff, randombytes_random()));
	else if (agent->state == CONNECTED)
		loop_set_timer(agent->options.loop, &agent->renew,
			clock_ms() + backoff_delay_ms(UINT_MAX, randombytes_random()));
}

static void attach(struct agent *agent)
{
	if (agent->fetch == NULL)
		agent->fetch = portal_attach(agent->fetcher, agent->options.device,
			agent->options.network, on_attached, agent);
}

static void on_renew(void *context)
{
	attach(context);
}

static void connect_or_attach(struct agent *agent)
{
	if (!agent->attached || agent->refresh ||
		clock_ms() + TOKEN_SPARE_MS > agent->token_ends_ms) {
		agent->state = ATTACHING;
		attach(agent);
	} else {
		dial_next(agent);
	}
}

/* ---- life ---- */

/* One that never changes, and ends never. */
static err_t keep_attachment(
	struct agent *agent, const struct attachment *attachment, struct fault *fault)
{
	err_t err = set_interface(agent, attachment, fault);

	if (err != OK)
		return err;
	agent->attachment = *attachment;
	agent->attached = true;
	agent->token_ends_ms = INT64_MAX;
	return OK;
}

err_t agent_create(struct agent **out, const struct agent_options *options, struct fault *fault)
{
	struct agent *agent = xcalloc(1, sizeof(*agent));
	err_t err;

	agent->options = *options;
	if (options->device == NULL &&
		(err = keep_attachment(agent, options->attachment, fault)) != OK) {
		free(agent);
		return err;
	}
	agent->fetcher = fetcher_create(options->loop, options->proxy);
	agent->retry = (struct loop_timer){ .fire = on_retry, .context = agent };
	agent->renew = (struct loop_timer){ .fire = on_renew, .context = agent };
	move_init(agent);
	if (agent->attached)
		prepare(agent);
	else
		connect_or_attach(agent);
	*out = agent;
	return OK;
}

void agent_stop(struct agent *agent)
{
	bool again = agent->state == STOPPING;

	agent->state = STOPPING;
	loop_clear_timer(agent->options.loop, &agent->retry);
	loop_clear_timer(agent->options.loop, &agent->renew);
	fetch_cancel(agent->fetch);
	agent->fetch = NULL;
	move_finish(agent);
	if (again)
		agent->options.stopped(agent->options.context);
	else if (agent->session != NULL)
		session_close(agent->session);
	else
		finish_stop(agent);
}

void agent_destroy(struct agent *agent)
{
	if (agent == NULL)
		return;
	loop_clear_timer(agent->options.loop, &agent->retry);
	loop_clear_timer(agent->options.loop, &agent->renew);
	fetch_cancel(agent->fetch);
	move_finish(agent);
	session_destroy(agent->session);
	fetcher_destroy(agent->fetcher);
	sodium_memzero(agent->attachment.authorization, sizeof(agent->attachment.authorization));
	free(agent);
}
