/* registrations: names that devices hold. A device registers its own; a tenant's people manage all.
 */
#include "gateway/api/tables.h"

#include "gateway/request.h"
#include "proto/dns.pb-c.h"

#include <string.h>

/* Which device, its credentials say. */
static err_t register_own(struct api_request *request)
{
	static const char prefix[] = "device:";
	static const char *const except[] = { "device", NULL };
	Dns__CreateRegistrationRequest message = DNS__CREATE_REGISTRATION_REQUEST__INIT;
	const char *subject = request->caller.subject;
	const ProtobufCMessage *reply;
	err_t err;

	if (strncmp(subject, prefix, strlen(prefix)) != 0)
		return call_refuse(request->call, ERR_PERMISSION_DENIED, "", "this is for devices");
	if ((err = request_read(request, except, &message.base)) != OK)
		return err;
	message.device = arena_strdup(request->call->arena, subject + strlen(prefix));
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
