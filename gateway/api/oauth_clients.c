/* oauth_clients: apps of a tenant that people may let in. */
#include "gateway/api/tables.h"

#include "proto/oauth.pb-c.h"

/* clang-format off */
#define SERVICE &auth__oauth__descriptor

const struct route oauth_clients_routes[] = {
	ROUTE("GET", "/v1/tenants/{tenant}/oauth-clients", "oauth:read", "ListOauthClients", .query = "cursor limit name"),
	ROUTE("POST", "/v1/tenants/{tenant}/oauth-clients", "oauth:write", "CreateOauthClient", .status = HTTP_CREATED),
	ROUTE("GET", "/v1/tenants/{tenant}/oauth-clients/{id}", "oauth:read", "GetOauthClient"),
	ROUTE("DELETE", "/v1/tenants/{tenant}/oauth-clients/{id}", "oauth:write", "DeleteOauthClient",
		.status = HTTP_NO_CONTENT),
	{ .method = NULL },
};
/* clang-format on */
