/* profiles: VPN configurations that people's apps fetch, and what holds for all apps. */
#include "gateway/api/tables.h"

#include "proto/profile.pb-c.h"

/* clang-format off */
#define SERVICE &provision__profiles__descriptor

const struct route profiles_routes[] = {
	ROUTE("GET", "/v1/tenants/{tenant}/profiles", "profiles:read", "ListProfiles",
		.query = "cursor limit profile_id"),
	ROUTE("POST", "/v1/tenants/{tenant}/profiles", "profiles:write", "CreateProfile",
		.status = HTTP_CREATED),
	ROUTE("GET", "/v1/tenants/{tenant}/profiles/{id}", "profiles:read", "GetProfile"),
	ROUTE("PUT", "/v1/tenants/{tenant}/profiles/{id}", "profiles:write", "ReplaceProfile"),
	ROUTE("DELETE", "/v1/tenants/{tenant}/profiles/{id}", "profiles:write", "DeleteProfile",
		.status = HTTP_NO_CONTENT),
	ROUTE("GET", "/v1/tenants/{tenant}/profiles/{id}/server", "profiles:write",
		"GetProfileServer"),
	ROUTE("GET", "/v1/tenants/{tenant}/app-settings", "profiles:read", "GetAppSettings"),
	ROUTE("PATCH", "/v1/tenants/{tenant}/app-settings", "profiles:write", "UpdateAppSettings"),
	{ .method = NULL },
};
/* clang-format on */
