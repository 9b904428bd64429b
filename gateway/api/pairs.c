/*
 * pairs: two clients that showed the same token and nonce, and what they carried. DELETE closes,
 * the row stays. What the clients of a live pair have sent, the nodes that hold them are asked.
 */
#include "gateway/api/tables.h"

#include "gateway/gather.h"
#include "gateway/request.h"
#include "lib/mem.h"
#include "proto/dataplane.pb-c.h"
#include "proto/rendezvous.pb-c.h"

#include <string.h>

/* ---- what only the nodes know ---- */

struct carried {
	Rendezvous__Pair **pairs;
	uint64_t *bytes; /* of each pair: what its connections have sent until now */
	size_t n;
};

static void add_connection(struct carried *carried, const Dataplane__Connection *one)
{
	for (size_t i = 0; i < carried->n; i++)
		if (strcmp(carried->pairs[i]->id, one->pair) == 0) {
			carried->bytes[i] += one->relayed_bytes;
			carried->pairs[i]->rate += one->rx_rate;
		}
}

/* Nodes know more than they have told rendezvous, unless one of them does not answer. */
static void take_carried(struct carried *carried)
{
	for (size_t i = 0; i < carried->n; i++)
		if (carried->pairs[i]->bytes < carried->bytes[i])
			carried->pairs[i]->bytes = carried->bytes[i];
}

static err_t add_live(struct call *call, Rendezvous__Pair **pairs, size_t n)
{
	Dataplane__ListConnectionsRequest message = DATAPLANE__LIST_CONNECTIONS_REQUEST__INIT;
	struct carried carried = { pairs,
		arena_alloc(call->arena, (n + 1) * sizeof(*carried.bytes)), n };
	struct bus_answer *answers;
	size_t n_answers;
	err_t err;

	message.pairs = arena_alloc(call->arena, (n + 1) * sizeof(*message.pairs));
	for (size_t i = 0; i < n; i++)
		if (strcmp(pairs[i]->state, "joined") == 0)
			message.pairs[message.n_pairs++] = pairs[i]->id;
	if (message.n_pairs == 0)
		return OK;
	err = gather(call, "ListConnections", &message.base, &answers, &n_answers);
	for (size_t i = 0; err == OK && i < n_answers; i++) {
		const Dataplane__ConnectionList *list = (const void *)answers[i].reply;

		for (size_t j = 0; answers[i].err == OK && j < list->n_items; j++)
			add_connection(&carried, list->items[j]);
	}
	take_carried(&carried);
	return err;
}

/* ---- calls ---- */

static err_t list_pairs(struct api_request *request)
{
	Rendezvous__ListRequest message = RENDEZVOUS__LIST_REQUEST__INIT;
	const ProtobufCMessage *reply;
	const Rendezvous__PairList *list;
	err_t err;

	if ((err = request_read(request, NULL, &message.base)) != OK ||
		(err = api_call(request, &message.base, &reply)) != OK)
		return err;
	list = (const Rendezvous__PairList *)reply;
	if ((err = add_live(request->call, list->items, list->n_items)) == OK)
		api_send(request, reply);
	return err;
}

static err_t get_pair(struct api_request *request)
{
	Rendezvous__Ref message = RENDEZVOUS__REF__INIT;
	const ProtobufCMessage *reply;
	Rendezvous__Pair *pair;
	err_t err;

	if ((err = request_read(request, NULL, &message.base)) != OK ||
		(err = api_call(request, &message.base, &reply)) != OK)
		return err;
	pair = (Rendezvous__Pair *)reply;
	if ((err = add_live(request->call, &pair, 1)) == OK)
		api_send(request, reply);
	return err;
}

/* clang-format off */
#define SERVICE &rendezvous__rendezvous__descriptor

const struct route pairs_routes[] = {
	ROUTE("GET", "/v1/tenants/{tenant}/pairs", "pairs:read", "ListPairs",
		.query = "cursor limit state", .handler = list_pairs),
	ROUTE("GET", "/v1/tenants/{tenant}/pairs/{id}", "pairs:read", "GetPair", .handler = get_pair),
	ROUTE("DELETE", "/v1/tenants/{tenant}/pairs/{id}", "pairs:write", "ClosePair",
		.status = HTTP_NO_CONTENT),
	ROUTE("GET", "/v1/tenants/{tenant}/traffic", "pairs:read", "ListTraffic", .query = "days"),
	{ .method = NULL },
};
/* clang-format on */
