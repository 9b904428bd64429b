/* groups: groups of a tenant's users. */
#include "gateway/api/tables.h"

#include "proto/group.pb-c.h"

/* clang-format off */
#define SERVICE &auth__groups__descriptor

const struct route groups_routes[] = {
	ROUTE("GET", "/v1/tenants/{tenant}/groups", "users:read", "ListGroups",
		.query = "cursor limit name"),
	ROUTE("POST", "/v1/tenants/{tenant}/groups", "users:write", "CreateGroup",
		.status = HTTP_CREATED),
	ROUTE("GET", "/v1/tenants/{tenant}/groups/{id}", "users:read", "GetGroup"),
	ROUTE("PATCH", "/v1/tenants/{tenant}/groups/{id}", "users:write", "UpdateGroup"),
	ROUTE("DELETE", "/v1/tenants/{tenant}/groups/{id}", "users:write", "DeleteGroup",
		.status = HTTP_NO_CONTENT),
	ROUTE("GET", "/v1/tenants/{tenant}/groups/{id}/members", "users:read", "ListGroupMembers",
		.query = "cursor limit"),
	ROUTE("POST", "/v1/tenants/{tenant}/groups/{id}/members", "users:write", "ChangeGroupMembers",
		.status = HTTP_NO_CONTENT),
	{ .method = NULL },
};
/* clang-format on */
