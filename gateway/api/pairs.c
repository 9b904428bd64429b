/* pairs: two clients that showed the same token and nonce. DELETE closes, the row stays. */
#include "gateway/api/tables.h"

#include "proto/rendezvous.pb-c.h"

/* clang-format off */
#define SERVICE &rendezvous__rendezvous__descriptor

const struct route pairs_routes[] = {
	ROUTE("GET", "/v1/tenants/{tenant}/pairs", "pairs:read", "ListPairs",
		.query = "cursor limit state"),
	ROUTE("GET", "/v1/tenants/{tenant}/pairs/{id}", "pairs:read", "GetPair"),
	ROUTE("DELETE", "/v1/tenants/{tenant}/pairs/{id}", "pairs:write", "ClosePair",
		.status = HTTP_NO_CONTENT),
	{ .method = NULL },
};
/* clang-format on */
