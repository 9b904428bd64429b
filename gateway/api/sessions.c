/*
 * sessions: live connections, which only the nodes know: each is asked, at the same time. A node
 * that does not answer in time has its sessions left out of a list.
 */
#include "gateway/api/tables.h"

#include "gateway/request.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "proto/dataplane.pb-c.h"

#include <string.h>

#define GATHER_MS 2000

static err_t gather(struct api_request *request, const ProtobufCMessage *message,
	struct bus_answer **answers, size_t *n)
{
	const struct route *route = request->match.route;
	int64_t until_ms = clock_ms() + GATHER_MS;
	err_t err;

	if (request->call->deadline_ms > until_ms)
		request->call->deadline_ms = until_ms;
	err = bus_call_each(request->call, route->service, route->rpc, message, answers, n);
	for (size_t i = 0; err == OK && i < *n; i++)
		if ((*answers)[i].err != OK && (*answers)[i].err != ERR_NOT_FOUND)
			LOG_THROTTLED(LOG_LEVEL_WARN, "node_silent", "node=%s error=%s",
				(*answers)[i].instance, err_name((*answers)[i].err));
	return err;
}

/* All that the nodes listed, as one list. */
static void join(
	struct call *call, const struct bus_answer *answers, size_t n, Dataplane__SessionList *all)
{
	size_t n_items = 0;

	for (size_t i = 0; i < n; i++)
		if (answers[i].err == OK)
			n_items += ((const Dataplane__SessionList *)answers[i].reply)->n_items;
	all->items = arena_alloc(call->arena, (n_items + 1) * sizeof(*all->items));
	for (size_t i = 0; i < n; i++) {
		const Dataplane__SessionList *part = (const void *)answers[i].reply;

		if (answers[i].err != OK || part->n_items == 0)
			continue;
		memcpy(all->items + all->n_items, part->items, part->n_items * sizeof(*all->items));
		all->n_items += part->n_items;
	}
}

static err_t list(struct api_request *request, const Dataplane__ListSessionsRequest *message,
	Dataplane__SessionList *all)
{
	struct bus_answer *answers;
	size_t n;
	err_t err = gather(request, &message->base, &answers, &n);

	if (err == OK)
		join(request->call, answers, n, all);
	return err;
}

static err_t list_sessions(struct api_request *request)
{
	Dataplane__ListSessionsRequest message = DATAPLANE__LIST_SESSIONS_REQUEST__INIT;
	Dataplane__SessionList all = DATAPLANE__SESSION_LIST__INIT;
	err_t err = request_read(request, NULL, &message.base);

	if (err == OK && (err = list(request, &message, &all)) == OK)
		api_send(request, &all.base);
	return err;
}

static err_t no_such_session(struct api_request *request)
{
	return call_refuse(request->call, ERR_NOT_FOUND, "id", "there is no session with this id");
}

static err_t get_session(struct api_request *request)
{
	Dataplane__ListSessionsRequest every = DATAPLANE__LIST_SESSIONS_REQUEST__INIT;
	Dataplane__CloseSessionRequest message = DATAPLANE__CLOSE_SESSION_REQUEST__INIT;
	Dataplane__SessionList all = DATAPLANE__SESSION_LIST__INIT;
	err_t err = request_read(request, NULL, &message.base);

	if (err != OK || (err = list(request, &every, &all)) != OK)
		return err;
	for (size_t i = 0; i < all.n_items; i++)
		if (strcmp(all.items[i]->id, message.id) == 0) {
			api_send(request, &all.items[i]->base);
			return OK;
		}
	return no_such_session(request);
}

/* One node has it. If none of those that answered has, a silent one may. */
static err_t close_session(struct api_request *request)
{
	Dataplane__CloseSessionRequest message = DATAPLANE__CLOSE_SESSION_REQUEST__INIT;
	struct bus_answer *answers;
	bool all_answered = true;
	size_t n;
	err_t err = request_read(request, NULL, &message.base);

	if (err != OK || (err = gather(request, &message.base, &answers, &n)) != OK)
		return err;
	for (size_t i = 0; i < n; i++) {
		if (answers[i].err == OK) {
			api_send(request, answers[i].reply);
			return OK;
		}
		all_answered = all_answered && answers[i].err == ERR_NOT_FOUND;
	}
	if (all_answered)
		return no_such_session(request);
	return call_refuse(request->call, ERR_UNAVAILABLE, "", "not every node has answered");
}

/* clang-format off */
#define SERVICE &dataplane__dataplane__descriptor

const struct route sessions_routes[] = {
	ROUTE("GET", "/v1/tenants/{tenant}/sessions", "sessions:read", "ListSessions",
		.query = "network", .handler = list_sessions),
	ROUTE("GET", "/v1/tenants/{tenant}/sessions/{id}", "sessions:read", "ListSessions",
		.handler = get_session),
	ROUTE("DELETE", "/v1/tenants/{tenant}/sessions/{id}", "sessions:write", "CloseSession",
		.status = HTTP_NO_CONTENT, .flags = ROUTE_REPEATABLE, .handler = close_session),
	{ .method = NULL },
};
/* clang-format on */
