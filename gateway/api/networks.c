/* networks: Ethernet broadcast domains of a tenant and their address ranges. */
#include "gateway/api/tables.h"

#include "proto/provision.pb-c.h"

/* clang-format off */
#define SERVICE &provision__provision__descriptor

const struct route networks_routes[] = {
	ROUTE("GET", "/v1/tenants/{tenant}/networks", "networks:read", "ListNetworks",
		.query = "cursor limit name"),
	ROUTE("POST", "/v1/tenants/{tenant}/networks", "networks:write", "CreateNetwork",
		.status = HTTP_CREATED),
	ROUTE("GET", "/v1/tenants/{tenant}/networks/{id}", "networks:read", "GetNetwork"),
	ROUTE("PATCH", "/v1/tenants/{tenant}/networks/{id}", "networks:write", "UpdateNetwork"),
	ROUTE("DELETE", "/v1/tenants/{tenant}/networks/{id}", "networks:write", "DeleteNetwork",
		.status = HTTP_NO_CONTENT),
	{ .method = NULL },
};
/* clang-format on */
