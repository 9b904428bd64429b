/* sites: host names under which people of a tenant sign in. */
#include "gateway/api/tables.h"

#include "proto/oauth.pb-c.h"

/* clang-format off */
#define SERVICE &auth__oauth__descriptor

const struct route sites_routes[] = {
	ROUTE("GET", "/v1/tenants/{tenant}/sites", "oauth:read", "ListSites", .query = "cursor limit name"),
	ROUTE("POST", "/v1/tenants/{tenant}/sites", "oauth:write", "CreateSite", .status = HTTP_CREATED),
	ROUTE("GET", "/v1/tenants/{tenant}/sites/{id}", "oauth:read", "GetSite"),
	ROUTE("DELETE", "/v1/tenants/{tenant}/sites/{id}", "oauth:write", "DeleteSite",
		.status = HTTP_NO_CONTENT),
	{ .method = NULL },
};
/* clang-format on */
