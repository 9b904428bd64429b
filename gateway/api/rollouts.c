/* rollouts: the next package of every portal device, in waves. */
#include "gateway/api/tables.h"

#include "proto/rollout.pb-c.h"

/* clang-format off */
#define SERVICE &provision__rollouts__descriptor

const struct route rollouts_routes[] = {
	ROUTE("GET", "/v1/tenants/{tenant}/rollouts", "devices:read", "ListRollouts",
		.query = "cursor limit"),
	ROUTE("POST", "/v1/tenants/{tenant}/rollouts", "devices:write", "CreateRollout",
		.status = HTTP_CREATED),
	ROUTE("GET", "/v1/tenants/{tenant}/rollouts/{id}", "devices:read", "GetRollout"),
	ROUTE("PATCH", "/v1/tenants/{tenant}/rollouts/{id}", "devices:write", "UpdateRollout"),
	ROUTE("GET", "/v1/tenants/{tenant}/rollouts/{id}/devices", "devices:read",
		"ListRolloutDevices", .query = "cursor limit state"),
	{ .method = NULL },
};
/* clang-format on */
