/*
 * sessions: live connections, which only the nodes know: each is asked, at the same time. A node
 * that does not answer in time has its sessions left out of a list.
 */
#include "gateway/api/tables.h"

#include "gateway/request.h"
#include "lib/clock.h"
#include "lib/db.h"
#include "lib/log.h"
#include "proto/dataplane.pb-c.h"

#include <stdlib.h>
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

static int compare_ids(const void *a, const void *b)
{
	return strcmp((*(Dataplane__Session *const *)a)->id, (*(Dataplane__Session *const *)b)->id);
}

/* All that the nodes listed, as one list in the order of ids. */
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
	qsort(all->items, all->n_items, sizeof(*all->items), compare_ids);
}

/* Each node gives the first of its own, one more than a page, so the first of all are among them.
 */
static err_t list(struct api_request *request, Dataplane__ListSessionsRequest *message,
	Dataplane__SessionList *page)
{
	size_t limit = db_page_limit(message->limit), n;
	struct bus_answer *answers;
	err_t err;

	message->limit = (uint32_t)limit + 1;
	if ((err = gather(request, &message->base, &answers, &n)) != OK)
		return err;
	join(request->call, answers, n, page);
	if (page->n_items > limit) {
		page->n_items = limit;
		page->next_cursor = page->items[limit - 1]->id;
	}
	return OK;
}

static err_t list_sessions(struct api_request *request)
{
	Dataplane__ListSessionsRequest message = DATAPLANE__LIST_SESSIONS_REQUEST__INIT;
	Dataplane__SessionList page = DATAPLANE__SESSION_LIST__INIT;
	err_t err = request_read(request, NULL, &message.base);

	if (err == OK && (err = list(request, &message, &page)) == OK)
		api_send(request, &page.base);
	return err;
}

static err_t no_such_session(struct api_request *request)
{
	return call_refuse(request->call, ERR_NOT_FOUND, "id", "there is no session with this id");
}

static err_t get_session(struct api_request *request)
{
	Dataplane__ListSessionsRequest message = DATAPLANE__LIST_SESSIONS_REQUEST__INIT;
	Dataplane__SessionList page = DATAPLANE__SESSION_LIST__INIT;
	err_t err = request_read(request, NULL, &message.base);

	if (err != OK || (err = list(request, &message, &page)) != OK)
		return err;
	if (page.n_items == 0)
		return no_such_session(request);
	api_send(request, &page.items[0]->base);
	return OK;
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
		.query = "cursor limit network", .handler = list_sessions),
	ROUTE("GET", "/v1/tenants/{tenant}/sessions/{id}", "sessions:read", "ListSessions",
		.handler = get_session),
	ROUTE("DELETE", "/v1/tenants/{tenant}/sessions/{id}", "sessions:write", "CloseSession",
		.status = HTTP_NO_CONTENT, .flags = ROUTE_REPEATABLE, .handler = close_session),
	{ .method = NULL },
};
/* clang-format on */
