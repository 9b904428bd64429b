/* tunnel: see tunnel.h. One line after the other; each has visitors of its own. */
#include "agents/tunnel/tunnel.h"

#include "agents/tunnel/line.h"

#include "lib/clock.h"
#include "lib/endpoint.h"
#include "lib/log.h"
#include "lib/mem.h"

#include <sodium.h>

#include <stdio.h>
#include <string.h>

#define TOKEN_LEN	 128
#define REFUSED_FAILURES 5 /* who was sent away comes again after some seconds at least */
#define NEXT_RETRY_MS	 200

struct tunnel {
	struct tunnel_options options; /* its texts are not used */
	struct url url;
	char authorization[sizeof("Bearer ") + TOKEN_LEN];
	struct visits_target tls, http;
	enum tunnel_state state;
	int64_t since_ms;
	struct backoff backoff;
	struct loop_timer timer; /* then dial */
	struct line *now;	 /* NULL: none */
	struct line *next;	 /* that is to take its place, since its node is about to stop */
	struct line *last;	 /* in whose place `now` has come: it still has visitors */
	bool retires;		 /* `now` does */
	struct visits_figures before; /* of earlier lines */
};

static void change(struct tunnel *tunnel, enum tunnel_state state, const char *why)
{
	tunnel->state = state;
	tunnel->since_ms = clock_ms();
	tunnel->options.changed(tunnel->options.context, state, why);
}

static void dial_in(struct tunnel *tunnel, int64_t ms)
{
	loop_set_timer(tunnel->options.loop, &tunnel->timer, clock_ms() + ms);
}

/* ---- the end of a line ---- */

static void add_figures(struct visits_figures *sum, const struct line *line)
{
	struct visits_figures figures = { 0 };

	if (line != NULL)
		line_figures(line, &figures);
	sum->n_streams += figures.n_streams;
	sum->n_visitors += figures.n_visitors;
	sum->received += figures.received;
	sum->sent += figures.sent;
}

static void drop(struct tunnel *tunnel, struct line **line)
{
	add_figures(&tunnel->before, *line);
	tunnel->before.n_streams = 0;
	line_destroy(*line);
	*line = NULL;
}

static void disconnect(struct tunnel *tunnel)
{
	loop_clear_timer(tunnel->options.loop, &tunnel->timer);
	drop(tunnel, &tunnel->now);
	drop(tunnel, &tunnel->next);
	drop(tunnel, &tunnel->last);
	tunnel->retires = false;
}

static bool is_refusal(const struct ending *ending)
{
	if (ending->how == END_REFUSED)
		return ending->status == 401 || ending->status == 403;
	return ending->how == END_CLOSED && ending->status == WS_STATUS_POLICY;
}

/* What comes after `now` when there is nothing in its place yet. */
static void plan(struct tunnel *tunnel, const struct ending *ending, bool refused)
{
	struct plan plan = backoff_plan(&tunnel->backoff, ending, 1, randombytes_random());

	if (refused && tunnel->backoff.failures < REFUSED_FAILURES) {
		tunnel->backoff.failures = REFUSED_FAILURES;
		plan.delay_ms = backoff_delay_ms(REFUSED_FAILURES, randombytes_random());
	}
	dial_in(tunnel, plan.delay_ms);
}

static void end_now(struct tunnel *tunnel, const struct ending *ending, const char *why)
{
	bool refused = is_refusal(ending);
	char told[256]; /* `why` is of what is about to go */

	snprintf(told, sizeof(told), "%s", why);
	tunnel->retires = false;
	if (tunnel->next == NULL)
		plan(tunnel, ending, refused);
	drop(tunnel, &tunnel->now);
	tunnel->now = tunnel->next;
	tunnel->next = NULL;
	change(tunnel, refused ? TUNNEL_REFUSED : TUNNEL_CONNECTING, told);
}

/* ---- lines ---- */

static void on_ended(void *context, struct line *line, const struct ending *ending, const char *why)
{
	struct tunnel *tunnel = context;

	if (line == tunnel->now) {
		end_now(tunnel, ending, why);
	} else if (line == tunnel->next) {
		drop(tunnel, &tunnel->next);
		dial_in(tunnel, NEXT_RETRY_MS + randombytes_uniform(NEXT_RETRY_MS));
	} else {
		drop(tunnel, &tunnel->last);
	}
}

static void on_opened(void *context, struct line *line)
{
	struct tunnel *tunnel = context;

	if (line == tunnel->now) {
		change(tunnel, TUNNEL_OPEN, "");
		return;
	}
	drop(tunnel, &tunnel->last);
	tunnel->last = tunnel->now;
	tunnel->now = line;
	tunnel->next = NULL;
	tunnel->retires = false;
	log_info("tunnel_moved", "host=%s", log_value(tunnel->url.host));
}

static void on_retires(void *context, struct line *line)
{
	struct tunnel *tunnel = context;

	if (line != tunnel->now || tunnel->retires)
		return;
	tunnel->retires = true;
	dial_in(tunnel, 0);
}

/* ---- connecting ---- */

static void dial(struct tunnel *tunnel, struct line **line)
{
	const struct tunnel_options *options = &tunnel->options;

	*line = line_create(&(struct line_options){
		.loop = options->loop,
		.fetcher = options->fetcher,
		.trust = options->trust,
		.congestion = options->congestion,
		.url = &tunnel->url,
		.authorization = tunnel->authorization,
		.tls = &tunnel->tls,
		.http = &tunnel->http,
		.context = tunnel,
		.opened = on_opened,
		.ended = on_ended,
		.retires = on_retires,
	});
}

static void on_timer(void *context)
{
	struct tunnel *tunnel = context;

	if (tunnel->now == NULL)
		dial(tunnel, &tunnel->now);
	else if (tunnel->retires && tunnel->next == NULL)
		dial(tunnel, &tunnel->next);
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
	dial_in(tunnel, 0);
}

void tunnel_figures(const struct tunnel *tunnel, struct tunnel_figures *figures)
{
	struct visits_figures sum = tunnel->before;

	add_figures(&sum, tunnel->now);
	add_figures(&sum, tunnel->last);
	*figures = (struct tunnel_figures){
		.state = tunnel->state,
		.n_streams = sum.n_streams,
		.n_visitors = sum.n_visitors,
		.received = sum.received,
		.sent = sum.sent,
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
