/* claims: devices that a tenant expects, the lists and codes they come by, and the claims
 * themselves. */
#include "gateway/api/tables.h"

#include "gateway/request.h"
#include "proto/claim.pb-c.h"

/* The body is the list as it is, in CSV. */
static err_t import(struct api_request *request)
{
	Provision__ImportDevicesRequest message = PROVISION__IMPORT_DEVICES_REQUEST__INIT;
	const struct http_request *http = request->http;
	const ProtobufCMessage *reply;
	err_t err;

	message.csv.data = (uint8_t *)(uintptr_t)http->body;
	message.csv.len = http->body_len;
	if ((err = request_read_query(request, &message.base)) != OK ||
		(err = api_call(request, &message.base, &reply)) != OK)
		return err;
	api_send(request, reply);
	return OK;
}

/* Whose code is shown is found in any tenant; who gets the device is that of the path, or if the
 * device itself asks the one that expects it. */
static err_t claim(struct api_request *request)
{
	static const char *const not_in_bodies[] = { "tenant", NULL };
	Provision__ClaimDeviceRequest message = PROVISION__CLAIM_DEVICE_REQUEST__INIT;
	const char *tenant = route_parameter(&request->match, "tenant");
	const Provision__Claim *made;
	const ProtobufCMessage *reply;
	err_t err;

	if ((err = request_read(request, not_in_bodies, &message.base)) != OK)
		return err;
	if (tenant != NULL)
		message.tenant = (char *)(uintptr_t)tenant;
	request->call->tenant = CALL_FLEET;
	if ((err = api_call(request, &message.base, &reply)) != OK)
		return err;
	made = (const Provision__Claim *)reply;
	api_send(request, reply);
	http_reply_add(request->reply, "Location",
		arena_printf(request->call->arena, "/v1/tenants/%s/portal-devices/%s", made->tenant,
			made->device));
	return OK;
}

/* clang-format off */
#define SERVICE &provision__claims__descriptor

const struct route claims_routes[] = {
	ROUTE("POST", "/v1/tenants/{tenant}/device-imports", "devices:write", "ImportDevices",
		.query = "dry_run", .flags = ROUTE_CSV, .handler = import),
	ROUTE("GET", "/v1/tenants/{tenant}/expected-devices", "devices:read", "ListExpectedDevices",
		.query = "cursor limit serial"),
	ROUTE("GET", "/v1/tenants/{tenant}/expected-devices/{id}", "devices:read",
		"GetExpectedDevice"),
	ROUTE("DELETE", "/v1/tenants/{tenant}/expected-devices/{id}", "devices:write",
		"DeleteExpectedDevice", .status = HTTP_NO_CONTENT),
	ROUTE("POST", "/v1/tenants/{tenant}/expected-devices/{id}/codes", "devices:write",
		"CreateClaimCode"),
	ROUTE("POST", "/v1/tenants/{tenant}/portal-devices/{id}/transfer", "tenants:write",
		"TransferPortalDevice"),
	ROUTE("POST", "/v1/tenants/{tenant}/claims", "devices:write", "ClaimDevice",
		.status = HTTP_CREATED, .flags = ROUTE_COSTLY, .handler = claim),
	ROUTE("POST", "/v1/claims", NULL, "ClaimDevice",
		.status = HTTP_CREATED, .flags = ROUTE_COSTLY, .handler = claim),
	{ .method = NULL },
};
/* clang-format on */
