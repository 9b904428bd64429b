/* zones: DNS zones of a tenant, for names that devices register. */
#include "gateway/api/tables.h"

#include "proto/dns.pb-c.h"

/* clang-format off */
#define SERVICE &dns__dns__descriptor

const struct route zones_routes[] = {
	ROUTE("GET", "/v1/tenants/{tenant}/zones", "names:read", "ListZones",
		.query = "cursor limit"),
	ROUTE("POST", "/v1/tenants/{tenant}/zones", "registrations:write", "CreateZone",
		.status = HTTP_CREATED),
	ROUTE("GET", "/v1/tenants/{tenant}/zones/{id}", "names:read", "GetZone"),
	ROUTE("DELETE", "/v1/tenants/{tenant}/zones/{id}", "registrations:write", "DeleteZone",
		.status = HTTP_NO_CONTENT),
	{ .method = NULL },
};
/* clang-format on */
