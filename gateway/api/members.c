/* members: devices that are admitted to a network, with their addresses. */
#include "gateway/api/tables.h"

#include "proto/provision.pb-c.h"

/* clang-format off */
#define SERVICE &provision__provision__descriptor

const struct route members_routes[] = {
	ROUTE("GET", "/v1/tenants/{tenant}/members", "members:read", "ListMembers",
		.query = "cursor limit network device"),
	ROUTE("POST", "/v1/tenants/{tenant}/members", "members:write", "CreateMember",
		.status = HTTP_CREATED),
	ROUTE("GET", "/v1/tenants/{tenant}/members/{id}", "members:read", "GetMember"),
	ROUTE("PATCH", "/v1/tenants/{tenant}/members/{id}", "members:write", "UpdateMember"),
	ROUTE("DELETE", "/v1/tenants/{tenant}/members/{id}", "members:write", "DeleteMember",
		.status = HTTP_NO_CONTENT),
	{ .method = NULL },
};
/* clang-format on */
