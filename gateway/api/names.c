/* names: DNS names of members. */
#include "gateway/api/tables.h"

#include "proto/dns.pb-c.h"

/* clang-format off */
#define SERVICE &dns__dns__descriptor

const struct route names_routes[] = {
	ROUTE("GET", "/v1/tenants/{tenant}/names", "names:read", "ListNames",
		.query = "cursor limit name network"),
	ROUTE("GET", "/v1/tenants/{tenant}/names/{id}", "names:read", "GetName"),
	{ .method = NULL },
};
/* clang-format on */
