/* identity_providers: where people of a tenant sign in beside here. Their secrets are never shown.
 */
#include "gateway/api/tables.h"

#include "proto/provider.pb-c.h"

/* clang-format off */
#define SERVICE &auth__identity_providers__descriptor

const struct route identity_providers_routes[] = {
	ROUTE("GET", "/v1/tenants/{tenant}/identity-providers", "oauth:read", "ListIdentityProviders",
		.query = "cursor limit name"),
	ROUTE("POST", "/v1/tenants/{tenant}/identity-providers", "oauth:write", "CreateIdentityProvider",
		.status = HTTP_CREATED),
	ROUTE("GET", "/v1/tenants/{tenant}/identity-providers/{id}", "oauth:read", "GetIdentityProvider"),
	ROUTE("DELETE", "/v1/tenants/{tenant}/identity-providers/{id}", "oauth:write", "DeleteIdentityProvider",
		.status = HTTP_NO_CONTENT),
	{ .method = NULL },
};
/* clang-format on */
