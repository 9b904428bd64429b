/* authorizations: what people allowed to apps. */
#include "gateway/api/tables.h"

#include "proto/oauth.pb-c.h"

/* clang-format off */
#define SERVICE &auth__oauth__descriptor

const struct route authorizations_routes[] = {
	ROUTE("GET", "/v1/tenants/{tenant}/authorizations", "oauth:read", "ListAuthorizations",
		.query = "cursor limit user"),
	ROUTE("DELETE", "/v1/tenants/{tenant}/authorizations/{id}", "oauth:write", "EndAuthorization",
		.status = HTTP_NO_CONTENT),
	{ .method = NULL },
};
/* clang-format on */
