/*
 * live: see live.h. Clients of nymea that have not authenticated, and those of the tunnel proxy,
 * are known to the nymea faces only; all others are guests.
 */
#include "dataplane/live/live.h"

#include "dataplane/dataplane.h"
#include "dataplane/nymea/client.h"
#include "dataplane/nymea/tunnel_server.h"
#include "lib/call.h"
#include "lib/clock.h"

#include <stdlib.h>
#include <string.h>

#define SECOND_MS 1000

struct live {
	struct dataplane *dataplane;
	uv_timer_t timer;
};

/* One connection: a guest, which is also `client` if it came through a door of nymea. */
struct one {
	struct guest *guest;
	const struct client *client; /* of the tunnel proxy, or not authenticated yet; else NULL */
};

typedef void (*visit_t)(void *context, const struct one *one);

struct visit {
	visit_t visit;
	void *context;
};

static void visit_guest(struct guest *guest, void *arg)
{
	const struct visit *visit = arg;

	visit->visit(visit->context, &(struct one){ guest, NULL });
}

static void visit_all(const struct live *live, visit_t each, void *context)
{
	struct visit visit = { each, context };
	struct nymea *nymea = live->dataplane->nymea;

	guests_each(live->dataplane->guests, visit_guest, &visit);
	for (struct client *client = nymea ? nymea->clients : NULL; client;
		client = client->by_id.next)
		if (!client->guest.guests)
			each(context, &(struct one){ &client->guest, client });
}

/* ---- rates ---- */

static void measure(void *context, const struct one *one)
{
	struct end *end = &one->guest->relay.end;

	(void)context;
	end->rx_rate = end->rx_bytes - end->rx_measured;
	end->tx_rate = end->tx_bytes - end->tx_measured;
	end->rx_measured = end->rx_bytes;
	end->tx_measured = end->tx_bytes;
}

static void on_second(uv_timer_t *timer)
{
	visit_all(timer->data, measure, NULL);
}

struct live *live_open(struct dataplane *dataplane)
{
	struct live *live = xcalloc(1, sizeof(*live));

	live->dataplane = dataplane;
	uv_timer_init(loop_uv(dataplane->loop), &live->timer);
	live->timer.data = live;
	uv_timer_start(&live->timer, on_second, SECOND_MS, SECOND_MS);
	return live;
}

void live_close(struct live *live)
{
	if (live)
		uv_close((uv_handle_t *)&live->timer, NULL);
}

void live_destroy(struct live *live)
{
	free(live);
}

/* ---- lists ---- */

struct listing {
	const char *tenant;
	const Dataplane__ListConnectionsRequest *request;
	struct one *found;
	size_t n, size;
};

static bool is_asked_for(const Dataplane__ListConnectionsRequest *request, const char *pair)
{
	for (size_t i = 0; i < request->n_pairs; i++)
		if (strcmp(request->pairs[i], pair) == 0)
			return true;
	return request->n_pairs == 0;
}

static void find(void *context, const struct one *one)
{
	struct listing *listing = context;
	const struct guest *guest = one->guest;

	if (guest->relay.end.state == END_CLOSED ||
		strcmp(guest->relay.end.id, listing->request->cursor) <= 0)
		return;
	if (strcmp(listing->tenant, CALL_FLEET) != 0 && strcmp(listing->tenant, guest->tenant) != 0)
		return;
	if (!is_asked_for(listing->request, guest->pair))
		return;
	if (listing->n == listing->size) {
		listing->size = listing->size > 0 ? listing->size * 2 : 64;
		listing->found = xrealloc(listing->found, listing->size * sizeof(*listing->found));
	}
	listing->found[listing->n++] = *one;
}

static int compare_ids(const void *a, const void *b)
{
	const struct one *one = a, *other = b;

	return strcmp(one->guest->relay.end.id, other->guest->relay.end.id);
}

static bool is_server(const struct one *one)
{
	return one->client && one->client->state == CLIENT_SERVER;
}

static const char *kind_of(const struct one *one)
{
	if (is_server(one))
		return "tunnel_server";
	if (one->client && one->client->state == CLIENT_JOINED)
		return "tunnel_client";
	return one->client ? "new" : "pair";
}

static const char *state_of(const struct one *one, uint32_t n_clients)
{
	if (is_server(one))
		return n_clients > 0 ? "joined" : "waiting";
	if (one->guest->relay.partner)
		return "joined";
	return !one->client && one->guest->state == GUEST_WAITING ? "waiting" : "opening";
}

static const char *server_of(const struct one *one)
{
	if (is_server(one))
		return tunnel_server_uuid(one->client->server);
	return one->client ? one->client->server_uuid : "";
}

static const char *transport_of(const struct end *end)
{
	if (strcmp(end->address, "unix") == 0)
		return "unix";
	return strcmp(end->transport->name, "WebSocket") == 0 ? "websocket" : "tcp";
}

static void count_client(struct relay_end *slot, const struct tunnel_visitor *visitor, void *arg)
{
	(void)slot;
	(void)visitor;
	++*(uint32_t *)arg;
}

static Dataplane__Connection *describe(
	const struct live *live, const struct one *one, struct arena *arena)
{
	Dataplane__Connection *item = arena_alloc(arena, sizeof(*item));
	const struct guest *guest = one->guest;
	const struct end *end = &guest->relay.end;
	char started_at[CLOCK_TEXT_LEN];

	dataplane__connection__init(item);
	if (is_server(one))
		tunnel_server_each(one->client->server, count_client, &item->clients);
	clock_text(end->opened_s, started_at);
	item->id = arena_strdup(arena, end->id);
	item->node = (char *)live->dataplane->instance;
	item->tenant = arena_strdup(arena, guest->tenant);
	item->kind = (char *)kind_of(one);
	item->state = (char *)state_of(one, item->clients);
	item->pair = arena_strdup(arena, guest->pair);
	item->server = arena_strdup(arena, server_of(one));
	item->name = arena_strdup(arena, guest->name ? guest->name : "");
	item->subject = arena_strdup(arena, guest->subject);
	item->remote_address = arena_strdup(arena, end->address);
	item->transport = (char *)transport_of(end);
	item->started_at = arena_strdup(arena, started_at);
	item->rx_bytes = end->rx_bytes;
	item->tx_bytes = end->tx_bytes;
	item->rx_rate = end->rx_rate;
	item->tx_rate = end->tx_rate;
	item->relayed_bytes = guest->state == GUEST_MET ? end->rx_bytes - guest->rx_before : 0;
	return item;
}

void live_list(const struct live *live, const char *tenant,
	const Dataplane__ListConnectionsRequest *request, struct arena *arena,
	Dataplane__ConnectionList *list)
{
	struct listing listing = { .tenant = tenant, .request = request };
	size_t limit = request->limit > 0 && request->limit < LIVE_LIST_MAX ? request->limit
									    : LIVE_LIST_MAX;

	visit_all(live, find, &listing);
	if (listing.n > 0)
		qsort(listing.found, listing.n, sizeof(*listing.found), compare_ids);
	list->n_items = listing.n < limit ? listing.n : limit;
	list->items = arena_alloc(arena, (list->n_items + 1) * sizeof(*list->items));
	for (size_t i = 0; i < list->n_items; i++)
		list->items[i] = describe(live, &listing.found[i], arena);
	free(listing.found);
}
