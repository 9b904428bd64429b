/* tunnel: see tunnel.h. One connection after the other; each has a uplink and visits of its own. */
#include "agents/tunnel/tunnel.h"

#include "agents/opening.h"
#include "agents/tunnel/visits.h"
#include "agents/tunnel/uplink.h"

#include "lib/clock.h"
#include "lib/endpoint.h"
#include "lib/log.h"
#include "lib/mem.h"

#include <sodium.h>

#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#define TOKEN_LEN	 128
#define REFUSED_FAILURES 5 /* who was sent away comes again after some seconds at least */

struct tunnel {
	struct tunnel_options options; /* its texts are not used */
	struct url url;
	char authorization[sizeof("Bearer ") + TOKEN_LEN];
	struct visits_target tls, http;
	enum tunnel_state state;
	int64_t since_ms;
	struct backoff backoff;
	struct loop_timer timer; /* to try again, or to look whether the node is there */
	struct loop_timer turn;	 /* to flush what a turn of the loop has written, or to read on */
	/* the connection */
	struct opening *opening;
	struct uplink *uplink;
	struct visits *visits;
	struct loop_watch socket;
	uint32_t events;
	bool more; /* to be read */
	int64_t opened_ms, pinged_ms;
	struct visits_figures before; /* of earlier connections */
};

static void dial(struct tunnel *tunnel);

static void change(struct tunnel *tunnel, enum tunnel_state state, const char *why)
{
	tunnel->state = state;
	tunnel->since_ms = clock_ms();
	tunnel->options.changed(tunnel->options.context, state, why);
}

/* ---- the end of a connection ---- */

static void disconnect(struct tunnel *tunnel)
{
	struct loop *loop = tunnel->options.loop;
	struct visits_figures figures;

	opening_destroy(tunnel->opening);
	tunnel->opening = NULL;
	loop_clear_timer(loop, &tunnel->timer);
	loop_clear_timer(loop, &tunnel->turn);
	if (tunnel->uplink == NULL)
		return;
	visits_figures(tunnel->visits, &figures);
	tunnel->before.n_visitors += figures.n_visitors;
	tunnel->before.received += figures.received;
	tunnel->before.sent += figures.sent;
	visits_destroy(tunnel->visits);
	loop_remove(loop, &tunnel->socket);
	uplink_destroy(tunnel->uplink);
	tunnel->visits = NULL;
	tunnel->uplink = NULL;
}

static bool is_refusal(const struct ending *ending)
{
	if (ending->how == END_REFUSED)
		return ending->status == 401 || ending->status == 403;
	return ending->how == END_CLOSED && ending->status == WS_STATUS_POLICY;
}

static void end(struct tunnel *tunnel, struct ending ending, const char *why)
{
	bool refused = is_refusal(&ending);
	char told[256]; /* `why` may be of what is about to go */
	struct plan plan;

	if (tunnel->opened_ms > 0)
		ending.lasted_ms = clock_ms() - tunnel->opened_ms + 1;
	tunnel->opened_ms = 0;
	plan = backoff_plan(&tunnel->backoff, &ending, 1, randombytes_random());
	if (refused && tunnel->backoff.failures < REFUSED_FAILURES) {
		tunnel->backoff.failures = REFUSED_FAILURES;
		plan.delay_ms = backoff_delay_ms(REFUSED_FAILURES, randombytes_random());
	}
	snprintf(told, sizeof(told), "%s", why);
	disconnect(tunnel);
	loop_set_timer(tunnel->options.loop, &tunnel->timer, clock_ms() + plan.delay_ms);
	change(tunnel, refused ? TUNNEL_REFUSED : TUNNEL_CONNECTING, told);
}

/* ---- while it is open ---- */

static void watch(struct tunnel *tunnel)
{
	uint32_t events = EPOLLIN | (uplink_is_blocked(tunnel->uplink) ? EPOLLOUT : 0);

	if (events != tunnel->events)
		loop_change(tunnel->options.loop, &tunnel->socket, events);
	tunnel->events = events;
}

static void follow(struct tunnel *tunnel, enum uplink_result result)
{
	struct ending ending = { .how = END_LOST };

	switch (result) {
	case UPLINK_CLOSED:
		ending = (struct ending){ END_CLOSED, uplink_status(tunnel->uplink), 0 };
		uplink_close(tunnel->uplink, WS_STATUS_NORMAL);
		(void)uplink_flush(tunnel->uplink);
		end(tunnel, ending, uplink_why(tunnel->uplink));
		return;
	case UPLINK_LOST:
		end(tunnel, ending, uplink_why(tunnel->uplink));
		return;
	case UPLINK_MORE:
		tunnel->more = true;
		loop_set_timer(tunnel->options.loop, &tunnel->turn, clock_ms());
		break;
	case UPLINK_DONE:
		break;
	}
	watch(tunnel);
}

static void flush(struct tunnel *tunnel)
{
	enum uplink_result result = uplink_flush(tunnel->uplink);

	if (result == UPLINK_DONE && !uplink_is_blocked(tunnel->uplink))
		visits_resume(tunnel->visits);
	follow(tunnel, result);
}

static void on_turn(void *context)
{
	struct tunnel *tunnel = context;
	bool more = tunnel->more;

	tunnel->more = false;
	flush(tunnel);
	if (more && tunnel->uplink != NULL)
		follow(tunnel, uplink_receive(tunnel->uplink));
}

static void on_wrote(void *context)
{
	struct tunnel *tunnel = context;

	if (!uplink_is_blocked(tunnel->uplink))
		loop_set_timer(tunnel->options.loop, &tunnel->turn, clock_ms());
}

static void on_socket(void *context, uint32_t events)
{
	struct tunnel *tunnel = context;

	if (events & EPOLLOUT)
		flush(tunnel);
	if (tunnel->uplink != NULL)
		follow(tunnel, uplink_receive(tunnel->uplink));
	if (tunnel->uplink != NULL)
		on_wrote(tunnel); /* pongs */
}

static bool on_frame(void *context, const struct mux_frame *frame)
{
	struct tunnel *tunnel = context;

	return visits_take(tunnel->visits, frame);
}

static void keep_alive(struct tunnel *tunnel)
{
	int64_t now_ms = clock_ms(), next_ms = now_ms;

	switch (keepalive_look(
		now_ms, uplink_heard_ms(tunnel->uplink), tunnel->pinged_ms, true, &next_ms)) {
	case KEEPALIVE_DEAD:
		end(tunnel, (struct ending){ .how = END_LOST },
			"nothing was heard from the node for 30 s");
		return;
	case KEEPALIVE_PING:
		tunnel->pinged_ms = now_ms;
		uplink_ping(tunnel->uplink);
		on_wrote(tunnel);
		break;
	case KEEPALIVE_WAIT:
		break;
	}
	loop_set_timer(tunnel->options.loop, &tunnel->timer, next_ms);
}

static void on_timer(void *context)
{
	struct tunnel *tunnel = context;

	if (tunnel->uplink != NULL)
		keep_alive(tunnel);
	else
		dial(tunnel);
}

/* ---- connecting ---- */

static void on_opened(void *context, const struct opened *opened)
{
	struct tunnel *tunnel = context;
	struct loop *loop = tunnel->options.loop;

	tunnel->opened_ms = clock_ms();
	tunnel->more = true; /* records that TLS has read already make no event */
	tunnel->events = EPOLLIN;
	tunnel->uplink = uplink_create(opened->carrier, on_frame, tunnel);
	tunnel->visits = visits_create(&(struct visits_options){
		.loop = loop,
		.uplink = tunnel->uplink,
		.tls = &tunnel->tls,
		.http = &tunnel->http,
		.context = tunnel,
		.wrote = on_wrote,
	});
	tunnel->socket = (struct loop_watch){ opened->fd, on_socket, tunnel };
	loop_add(loop, &tunnel->socket, EPOLLIN);
	loop_set_timer(loop, &tunnel->timer, tunnel->opened_ms + KEEPALIVE_PING_MS);
	loop_set_timer(loop, &tunnel->turn, tunnel->opened_ms);
	if (!opened->protocol) {
		end(tunnel, (struct ending){ .how = END_UNREACHABLE },
			"the node does not know tunnels");
		return;
	}
	change(tunnel, TUNNEL_OPEN, "");
	follow(tunnel, uplink_take(tunnel->uplink, opened->rest, opened->rest_len));
	if (tunnel->opening != NULL) {
		opening_destroy(tunnel->opening);
		tunnel->opening = NULL;
	}
}

static void on_failed(void *context, const struct opening_failure *failure)
{
	end(context, failure->ending, failure->why);
}

static void dial(struct tunnel *tunnel)
{
	const struct tunnel_options *options = &tunnel->options;

	tunnel->opening = opening_create(&(struct opening_options){
		.loop = options->loop,
		.fetcher = options->fetcher,
		.trust = options->trust,
		.congestion = options->congestion,
		.request = { .url = &tunnel->url,
			.authorization = tunnel->authorization,
			.protocol = MUX_PROTOCOL },
		.context = tunnel,
		.opened = on_opened,
		.failed = on_failed,
	});
}

/* ---- life ---- */

static err_t read_target(
	const char *option, const char *text, struct visits_target *target, struct fault *fault)
{
	if (text == NULL || endpoint_parse_any(text, &target->address, &target->len) == OK)
		return OK;
	return fault_set(fault, ERR_INVALID_ARGUMENT, option,
		"%.100s: expected ADDRESS:PORT, or the path of a unix socket", text);
}

static err_t read_url(
	struct tunnel *tunnel, const struct tunnel_options *options, struct fault *fault)
{
	const char *scheme = strncmp(options->url, "ws:", 3) == 0 ? "ws" : "wss";
	err_t err = url_parse(&tunnel->url, scheme, options->url, fault);
	size_t len;

	if (err != OK || !options->proxy_protocol)
		return err;
	len = strlen(tunnel->url.path);
	if (len + sizeof("?proxy=2") > sizeof(tunnel->url.path))
		return fault_set(fault, ERR_INVALID_ARGUMENT, "url", "the path is too long");
	snprintf(tunnel->url.path + len, sizeof(tunnel->url.path) - len, "%cproxy=2",
		strchr(tunnel->url.path, '?') == NULL ? '?' : '&');
	return OK;
}

err_t tunnel_create(struct tunnel **out, const struct tunnel_options *options, struct fault *fault)
{
	struct tunnel *tunnel = xcalloc(1, sizeof(*tunnel));
	err_t err;

	if ((err = read_url(tunnel, options, fault)) != OK ||
		(err = read_target("target", options->target, &tunnel->tls, fault)) != OK ||
		(err = read_target("http_target", options->http_target, &tunnel->http, fault)) !=
			OK) {
		free(tunnel);
		return err;
	}
	tunnel->options = *options;
	tunnel->timer = (struct loop_timer){ .fire = on_timer, .context = tunnel };
	tunnel->turn = (struct loop_timer){ .fire = on_turn, .context = tunnel };
	tunnel->since_ms = clock_ms();
	tunnel_set_token(tunnel, options->token);
	*out = tunnel;
	return OK;
}

void tunnel_set_token(struct tunnel *tunnel, const char *token)
{
	snprintf(tunnel->authorization, sizeof(tunnel->authorization), "Bearer %s", token);
	disconnect(tunnel);
	tunnel->backoff = (struct backoff){ 0 };
	tunnel->opened_ms = 0;
	loop_set_timer(tunnel->options.loop, &tunnel->timer, clock_ms());
}

void tunnel_figures(const struct tunnel *tunnel, struct tunnel_figures *figures)
{
	struct visits_figures now = { 0 };

	if (tunnel->visits != NULL)
		visits_figures(tunnel->visits, &now);
	*figures = (struct tunnel_figures){
		.state = tunnel->state,
		.n_streams = now.n_streams,
		.n_visitors = tunnel->before.n_visitors + now.n_visitors,
		.received = tunnel->before.received + now.received,
		.sent = tunnel->before.sent + now.sent,
		.since_ms = tunnel->since_ms,
	};
}

void tunnel_destroy(struct tunnel *tunnel)
{
	if (tunnel == NULL)
		return;
	disconnect(tunnel);
	sodium_memzero(tunnel->authorization, sizeof(tunnel->authorization));
	free(tunnel);
}
