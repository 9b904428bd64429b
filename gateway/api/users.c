/* users: people of a tenant, their roles, and what they show beside their password. */
#include "gateway/api/tables.h"

#include "proto/auth.pb-c.h"
#include "proto/second_factor.pb-c.h"

/* clang-format off */
#define SERVICE &auth__auth__descriptor

const struct route users_routes[] = {
	ROUTE("GET", "/v1/tenants/{tenant}/users", "users:read", "ListUsers",
		.query = "cursor limit name"),
	ROUTE("POST", "/v1/tenants/{tenant}/users", "users:write", "CreateUser",
		.status = HTTP_CREATED),
	ROUTE("GET", "/v1/tenants/{tenant}/users/{id}", "users:read", "GetUser"),
	ROUTE("PATCH", "/v1/tenants/{tenant}/users/{id}", "users:write", "UpdateUser"),
	ROUTE("DELETE", "/v1/tenants/{tenant}/users/{id}", "users:write", "DeleteUser",
		.status = HTTP_NO_CONTENT),
#undef SERVICE
#define SERVICE &auth__second_factors__descriptor
	ROUTE("GET", "/v1/tenants/{tenant}/users/{id}/second-factor", "users:read", "GetSecondFactor"),
	ROUTE("DELETE", "/v1/tenants/{tenant}/users/{id}/second-factor", "users:write",
		"ResetSecondFactor", .status = HTTP_NO_CONTENT),
	{ .method = NULL },
};
/* clang-format on */
