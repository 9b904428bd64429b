/* certificates: the authorities of a tenant, and what they have signed. */
#include "gateway/api/tables.h"

#include "proto/certificates.pb-c.h"

/* clang-format off */
#define SERVICE &provision__certificates__descriptor

const struct route certificates_routes[] = {
	ROUTE("GET", "/v1/tenants/{tenant}/authorities", "devices:read", "GetAuthorities"),
	ROUTE("POST", "/v1/tenants/{tenant}/authorities", "tenants:write", "RotateAuthority",
		.status = HTTP_CREATED),
	ROUTE("POST", "/v1/tenants/{tenant}/authorities/{id}/advance", "tenants:write",
		"AdvanceAuthority"),
	ROUTE("POST", "/v1/tenants/{tenant}/authorities/{id}/offline", "tenants:write",
		"TakeRootOffline"),
	ROUTE("GET", "/v1/tenants/{tenant}/certificates", "devices:read", "ListCertificates",
		.query = "cursor limit subject"),
	ROUTE("POST", "/v1/tenants/{tenant}/certificates", "devices:write", "IssueCertificate",
		.status = HTTP_CREATED),
	ROUTE("GET", "/v1/tenants/{tenant}/certificates/{id}", "devices:read", "GetCertificate"),
	ROUTE("POST", "/v1/tenants/{tenant}/revocations", "devices:write", "RevokeCertificate"),
	{ .method = NULL },
};
/* clang-format on */
