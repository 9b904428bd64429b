/*
 * sessions: live connections of members, which only the nodes know. A node that does not answer in
 * time has its sessions left out of a list.
 */
#include "gateway/api/tables.h"

#include "gateway/gather.h"
#include "gateway/request.h"
#include "lib/db.h"
#include "proto/dataplane.pb-c.h"

/* Each node gives the first of its own, one more than a page, so the first of all are among them.
 */
static err_t list(struct api_request *request, Dataplane__ListSessionsRequest *message,
	Dataplane__SessionList *page)
{
	size_t limit = db_page_limit(message->limit), n;
	struct bus_answer *answers;
	err_t err;

	message->limit = (uint32_t)limit + 1;
	err = gather(request->call, "ListSessions", &message->base, &answers, &n);
	if (err == OK)
		gather_list(request->call, answers, n, limit, &page->base);
	return err;
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

	if (err == OK)
		err = gather(request->call, "CloseSession", &message.base, &answers, &n);
	if (err != OK)
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
