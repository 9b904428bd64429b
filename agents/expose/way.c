/* way: see way.h. */
#include "agents/expose/way.h"

#include "agents/tunnel/tunnel.h"

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"

#include <sodium.h>

#include <stdio.h>
#include <string.h>

#define PATIENCE_MS 15000 /* with a node that can't be reached, when there are others */

struct way {
	struct way_options options;
	struct name_info info;
	char token[REGISTRY_TOKEN_SIZE];
	unsigned url;	       /* the one in use */
	struct tunnel *tunnel; /* NULL: there is none */
	struct loop_timer patience;
	char why[256];
};

static const char *const state_names[] = {
	[TUNNEL_CONNECTING] = "connecting",
	[TUNNEL_OPEN] = "open",
	[TUNNEL_REFUSED] = "refused",
};

static enum tunnel_state state_of(const struct way *way)
{
	struct tunnel_figures figures;

	if (way->tunnel == NULL)
		return TUNNEL_CONNECTING;
	tunnel_figures(way->tunnel, &figures);
	return figures.state;
}

static void be_patient(struct way *way)
{
	if (way->info.n_urls > 1)
		loop_set_timer(way->options.loop, &way->patience, clock_ms() + PATIENCE_MS);
}

static void on_changed(void *context, enum tunnel_state state, const char *why)
{
	struct way *way = context;

	snprintf(way->why, sizeof(way->why), "%s", why);
	if (state == TUNNEL_CONNECTING)
		be_patient(way);
	else
		loop_clear_timer(way->options.loop, &way->patience);
	if (state == TUNNEL_REFUSED)
		log_warn("tunnel_refused", "name=%s text=%s", way->info.name, log_value(why));
	else
		log_info("tunnel", "name=%s state=%s", way->info.name, state_names[state]);
	way->options.changed(way->options.context);
}

static void dig(struct way *way)
{
	struct fault fault;

	tunnel_destroy(way->tunnel);
	way->tunnel = NULL;
	if (tunnel_create(&way->tunnel,
		    &(struct tunnel_options){
			    .loop = way->options.loop,
			    .fetcher = way->options.fetcher,
			    .trust = way->options.trust,
			    .congestion = way->options.congestion,
			    .url = way->info.urls[way->url],
			    .token = way->token,
			    .target = way->options.target,
			    .http_target = way->options.http_target,
			    .proxy_protocol = way->options.proxy_protocol,
			    .context = way,
			    .changed = on_changed,
		    },
		    &fault) != OK) {
		memcpy(way->why, fault.detail, sizeof(way->why));
		log_error("tunnel", "name=%s text=%s", way->info.name, log_value(fault.detail));
	}
	be_patient(way);
}

static void on_patience_over(void *context)
{
	struct way *way = context;

	way->url = (way->url + 1) % way->info.n_urls;
	dig(way);
}

struct way *way_create(const struct way_options *options)
{
	struct way *way = xcalloc(1, sizeof(*way));

	way->options = *options;
	way->patience = (struct loop_timer){ .fire = on_patience_over, .context = way };
	return way;
}

void way_destroy(struct way *way)
{
	if (way == NULL)
		return;
	loop_clear_timer(way->options.loop, &way->patience);
	tunnel_destroy(way->tunnel);
	sodium_memzero(way->token, sizeof(way->token));
	free(way);
}

void way_lead(struct way *way, const struct name_info *info, const char *token)
{
	bool elsewhere = way->tunnel == NULL || info->n_urls != way->info.n_urls ||
			 memcmp(info->urls, way->info.urls, sizeof(info->urls)) != 0;
	bool another = strcmp(token, way->token) != 0;

	way->info = *info;
	snprintf(way->token, sizeof(way->token), "%s", token);
	if (elsewhere) {
		way->url = randombytes_uniform(info->n_urls);
		dig(way);
	} else if (another || state_of(way) == TUNNEL_REFUSED) {
		tunnel_set_token(way->tunnel, token);
	}
}

bool way_is_open(const struct way *way)
{
	return way->tunnel != NULL && state_of(way) == TUNNEL_OPEN;
}

bool way_is_refused(const struct way *way)
{
	return way->tunnel != NULL && state_of(way) == TUNNEL_REFUSED;
}

void way_report(const struct way *way, json_t *status)
{
	struct tunnel_figures figures = { .state = TUNNEL_CONNECTING };

	if (way->tunnel != NULL)
		tunnel_figures(way->tunnel, &figures);
	json_object_set_new(status, "tunnel", json_string(state_names[figures.state]));
	json_object_set_new(status, "url", json_string(way->info.urls[way->url]));
	json_object_set_new(status, "streams", json_integer(figures.n_streams));
	json_object_set_new(status, "visitors", json_integer((json_int_t)figures.n_visitors));
	json_object_set_new(status, "bytes_in", json_integer((json_int_t)figures.received));
	json_object_set_new(status, "bytes_out", json_integer((json_int_t)figures.sent));
	if (figures.state != TUNNEL_OPEN && way->why[0] != '\0')
		json_object_set_new(status, "tunnel_why", json_string(way->why));
}
