/* notices: what people are told through their VPN apps. */
#include "gateway/api/tables.h"

#include "proto/profile.pb-c.h"

/* clang-format off */
#define SERVICE &provision__profiles__descriptor

const struct route notices_routes[] = {
	ROUTE("GET", "/v1/tenants/{tenant}/notices", "profiles:read", "ListNotices",
		.query = "cursor limit user"),
	ROUTE("POST", "/v1/tenants/{tenant}/notices", "profiles:write", "CreateNotice",
		.status = HTTP_CREATED),
	ROUTE("GET", "/v1/tenants/{tenant}/notices/{id}", "profiles:read", "GetNotice"),
	ROUTE("DELETE", "/v1/tenants/{tenant}/notices/{id}", "profiles:write", "DeleteNotice",
		.status = HTTP_NO_CONTENT),
	{ .method = NULL },
};
/* clang-format on */
