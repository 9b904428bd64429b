/*
 * connections: live connections for pairs and tunnels, which only the nodes know: those of a
 * tenant, or for the fleet those of all tenants. A node that does not answer in time is left out.
 */
#include "gateway/api/tables.h"

#include "gateway/gather.h"
#include "gateway/request.h"
#include "lib/db.h"
#include "proto/dataplane.pb-c.h"

/* Each node gives the first of its own, one more than a page, so the first of all are among them.
 */
static err_t list_connections(struct api_request *request)
{
	Dataplane__ListConnectionsRequest message = DATAPLANE__LIST_CONNECTIONS_REQUEST__INIT;
	Dataplane__ConnectionList page = DATAPLANE__CONNECTION_LIST__INIT;
	struct bus_answer *answers;
	size_t limit, n;
	err_t err = request_read(request, NULL, &message.base);

	if (err != OK)
		return err;
	limit = db_page_limit(message.limit);
	message.limit = (uint32_t)limit + 1;
	err = gather(request->call, "ListConnections", &message.base, &answers, &n);
	if (err != OK)
		return err;
	gather_list(request->call, answers, n, limit, &page.base);
	api_send(request, &page.base);
	return OK;
}

/* clang-format off */
#define SERVICE &dataplane__dataplane__descriptor

const struct route connections_routes[] = {
	ROUTE("GET", "/v1/connections", "pairs:read", "ListConnections", .query = "cursor limit",
		.flags = ROUTE_FLEET, .handler = list_connections),
	ROUTE("GET", "/v1/tenants/{tenant}/connections", "pairs:read", "ListConnections",
		.query = "cursor limit", .handler = list_connections),
	{ .method = NULL },
};
/* clang-format on */
