/* sign_ins: people's browsers that are signed in, and what a tenant wants of them. */
#include "gateway/api/tables.h"

#include "proto/oauth.pb-c.h"

/* clang-format off */
#define SERVICE &auth__oauth__descriptor

const struct route sign_ins_routes[] = {
	ROUTE("GET", "/v1/tenants/{tenant}/sign-ins", "users:read", "ListSignIns",
		.query = "cursor limit user"),
	ROUTE("DELETE", "/v1/tenants/{tenant}/sign-ins/{id}", "users:write", "EndSignIn",
		.status = HTTP_NO_CONTENT),
	ROUTE("GET", "/v1/tenants/{tenant}/sign-in-policy", "tenants:read", "GetSignInPolicy"),
	ROUTE("PATCH", "/v1/tenants/{tenant}/sign-in-policy", "tenants:write", "UpdateSignInPolicy"),
	{ .method = NULL },
};
/* clang-format on */
