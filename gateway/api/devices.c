/* devices: machines of a tenant. They come by enrolment; DELETE retires, the row stays. */
#include "gateway/api/tables.h"

#include "proto/provision.pb-c.h"

/* clang-format off */
#define SERVICE &provision__provision__descriptor

const struct route devices_routes[] = {
	ROUTE("GET", "/v1/tenants/{tenant}/devices", "devices:read", "ListDevices",
		.query = "cursor limit name state"),
	ROUTE("GET", "/v1/tenants/{tenant}/devices/{id}", "devices:read", "GetDevice"),
	ROUTE("PATCH", "/v1/tenants/{tenant}/devices/{id}", "devices:write", "UpdateDevice"),
	ROUTE("DELETE", "/v1/tenants/{tenant}/devices/{id}", "devices:write", "RetireDevice",
		.status = HTTP_NO_CONTENT),
	{ .method = NULL },
};
/* clang-format on */
