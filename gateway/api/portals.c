/* portals: what a tenant has decided for devices that fetch packages, those devices, and their next
 * package. */
#include "gateway/api/tables.h"

#include "proto/portal.pb-c.h"

/* clang-format off */
#define SERVICE &provision__portals__descriptor

const struct route portals_routes[] = {
	ROUTE("GET", "/v1/tenants/{tenant}/portal", "devices:read", "GetPortal"),
	ROUTE("PATCH", "/v1/tenants/{tenant}/portal", "devices:write", "UpdatePortal"),
	ROUTE("GET", "/v1/tenants/{tenant}/portal-devices", "devices:read", "ListPortalDevices",
		.query = "cursor limit name"),
	ROUTE("POST", "/v1/tenants/{tenant}/portal-devices", "devices:write", "CreatePortalDevice",
		.status = HTTP_CREATED),
	ROUTE("GET", "/v1/tenants/{tenant}/portal-devices/{id}", "devices:read", "GetPortalDevice"),
	ROUTE("POST", "/v1/tenants/{tenant}/portal-devices/{id}/packages", "devices:write",
		"PublishPackage"),
	ROUTE("POST", "/v1/tenants/{tenant}/portal-devices/{id}/secrets", "devices:write",
		"IssuePortalSecret"),
	ROUTE("POST", "/v1/tenants/{tenant}/portal-devices/{id}/release", "devices:write",
		"ReleasePortalDevice"),
	ROUTE("DELETE", "/v1/tenants/{tenant}/portal-devices/{id}", "devices:write",
		"ForgetPortalDevice", .status = HTTP_NO_CONTENT),
	{ .method = NULL },
};
/* clang-format on */
