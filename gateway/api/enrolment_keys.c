/* enrolment_keys: secrets that let new devices join. DELETE revokes, the row stays. */
#include "gateway/api/tables.h"

#include "proto/auth.pb-c.h"

/* clang-format off */
#define SERVICE &auth__auth__descriptor

const struct route enrolment_keys_routes[] = {
	ROUTE("GET", "/v1/tenants/{tenant}/enrolment-keys", "enrolment-keys:read", "ListEnrolmentKeys",
		.query = "cursor limit name"),
	ROUTE("POST", "/v1/tenants/{tenant}/enrolment-keys", "enrolment-keys:write", "CreateEnrolmentKey",
		.status = HTTP_CREATED),
	ROUTE("GET", "/v1/tenants/{tenant}/enrolment-keys/{id}", "enrolment-keys:read", "GetEnrolmentKey"),
	ROUTE("DELETE", "/v1/tenants/{tenant}/enrolment-keys/{id}", "enrolment-keys:write",
		"RevokeEnrolmentKey", .status = HTTP_NO_CONTENT),
	{ .method = NULL },
};
/* clang-format on */
