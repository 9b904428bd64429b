/* registrations: names that devices hold. A device registers its own; a tenant's people manage all.
 */
#include "gateway/api/tables.h"

#include "gateway/request.h"
#include "proto/dns.pb-c.h"

/* Which device, its credentials say. */
static err_t register_own(struct api_request *request)
{
	Dns__CreateRegistrationRequest message = DNS__CREATE_REGISTRATION_REQUEST__INIT;
	const ProtobufCMessage *reply;
	err_t err;

	if ((err = request_read_own(request, &message.base)) != OK)
		return err;
	if ((err = api_call(request, &message.base, &reply)) == OK) {
		api_send(request, reply);
		http_reply_add(request->reply, "Location",
			arena_printf(request->call->arena, "/v1/tenants/%s/registrations/%s",
				request->call->tenant, ((const Dns__Registration *)reply)->id));
	}
	return err;
}

/* clang-format off */
#define SERVICE &dns__dns__descriptor

const struct route registrations_routes[] = {
	ROUTE("POST", "/v1/registrations", "registrations:own", "CreateRegistration",
		.status = HTTP_CREATED, .handler = register_own),
	ROUTE("GET", "/v1/tenants/{tenant}/registrations", "registrations:read", "ListRegistrations",
		.query = "cursor limit device"),
	ROUTE("POST", "/v1/tenants/{tenant}/registrations", "registrations:write", "CreateRegistration",
		.status = HTTP_CREATED),
	ROUTE("GET", "/v1/tenants/{tenant}/registrations/{id}", "registrations:read", "GetRegistration"),
	ROUTE("POST", "/v1/tenants/{tenant}/registrations/{id}/reclaim", "registrations:write", "ReclaimRegistration"),
	ROUTE("DELETE", "/v1/tenants/{tenant}/registrations/{id}", "registrations:write", "DeleteRegistration",
		.status = HTTP_NO_CONTENT),
	{ .method = NULL },
};
/* clang-format on */
