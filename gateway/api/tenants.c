/* tenants: organisations. Only operators of the fleet see and change all of them. */
#include "gateway/api/tables.h"

#include "proto/auth.pb-c.h"

/* clang-format off */
#define SERVICE &auth__auth__descriptor

const struct route tenants_routes[] = {
	ROUTE("GET", "/v1/tenants", "tenants:read", "ListTenants",
		.query = "cursor limit name", .flags = ROUTE_FLEET),
	ROUTE("POST", "/v1/tenants", "tenants:write", "CreateTenant",
		.status = HTTP_CREATED, .flags = ROUTE_FLEET),
	ROUTE("GET", "/v1/tenants/{tenant}", "tenants:read", "GetTenant"),
	ROUTE("PATCH", "/v1/tenants/{tenant}", "tenants:write", "UpdateTenant",
		.flags = ROUTE_FLEET),
	ROUTE("DELETE", "/v1/tenants/{tenant}", "tenants:delete", "DeleteTenant",
		.status = HTTP_ACCEPTED),
	{ .method = NULL },
};
/* clang-format on */
