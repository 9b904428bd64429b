/* api_keys: secrets with a role for programs. The secret is in the reply to POST only. */
#include "gateway/api/tables.h"

#include "proto/auth.pb-c.h"

/* clang-format off */
#define SERVICE &auth__auth__descriptor

const struct route api_keys_routes[] = {
	ROUTE("GET", "/v1/tenants/{tenant}/api-keys", "api-keys:read", "ListApiKeys",
		.query = "cursor limit name"),
	ROUTE("POST", "/v1/tenants/{tenant}/api-keys", "api-keys:write", "CreateApiKey",
		.status = HTTP_CREATED),
	ROUTE("GET", "/v1/tenants/{tenant}/api-keys/{id}", "api-keys:read", "GetApiKey"),
	ROUTE("DELETE", "/v1/tenants/{tenant}/api-keys/{id}", "api-keys:write", "DeleteApiKey",
		.status = HTTP_NO_CONTENT),
	{ .method = NULL },
};
/* clang-format on */
