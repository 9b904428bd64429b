/* federation: the other sites whose people a tenant lets in, as a signed list. */
#include "gateway/api/tables.h"

#include "gateway/request.h"
#include "proto/federation.pb-c.h"

/* The body is the list as it was signed, byte for byte. */
static err_t set(struct api_request *request)
{
	Auth__FederationList message = AUTH__FEDERATION_LIST__INIT;
	const struct http_request *http = request->http;
	const ProtobufCMessage *reply;
	err_t err;

	message.list.data = (uint8_t *)(uintptr_t)http->body;
	message.list.len = http->body_len;
	if ((err = request_read_query(request, &message.base)) != OK ||
		(err = api_call(request, &message.base, &reply)) != OK)
		return err;
	api_send(request, reply);
	return OK;
}

/* clang-format off */
#define SERVICE &auth__federations__descriptor

const struct route federation_routes[] = {
	ROUTE("GET", "/v1/tenants/{tenant}/federation", "oauth:read", "GetFederation"),
	ROUTE("PUT", "/v1/tenants/{tenant}/federation", "oauth:write", "SetFederation",
		.query = "public_key signature", .flags = ROUTE_COSTLY, .handler = set),
	ROUTE("DELETE", "/v1/tenants/{tenant}/federation", "oauth:write", "DeleteFederation",
		.status = HTTP_NO_CONTENT),
	{ .method = NULL },
};
/* clang-format on */
