/* audit_records: who did what to the devices of a tenant. */
#include "gateway/api/tables.h"

#include "proto/audit.pb-c.h"

/* clang-format off */
#define SERVICE &provision__audit__descriptor

const struct route audit_records_routes[] = {
	ROUTE("GET", "/v1/tenants/{tenant}/audit-records", "audit:read", "ListAuditRecords",
		.query = "cursor limit subject"),
	{ .method = NULL },
};
/* clang-format on */
