/* api_keys: secrets with a role for programs. The secret is in the reply to POST only. */
#include "gateway/api/tables.h"

#include "gateway/request.h"
#include "proto/auth.pb-c.h"

/* auth knows who asks, but not which scopes the credential was limited to. */
static err_t create_api_key(struct api_request *request)
{
	Auth__CreateApiKeyRequest message = AUTH__CREATE_API_KEY_REQUEST__INIT;
	const ProtobufCMessage *reply;
	err_t err;

	if ((err = request_read(request, NULL, &message.base)) != OK ||
		(err = identity_check_grant(request->call, &request->caller, message.scopes,
			 message.n_scopes)) != OK ||
		(err = api_call(request, &message.base, &reply)) != OK)
		return err;
	api_send(request, reply);
	return OK;
}

/* clang-format off */
#define SERVICE &auth__auth__descriptor

const struct route api_keys_routes[] = {
	ROUTE("GET", "/v1/tenants/{tenant}/api-keys", "api-keys:read", "ListApiKeys",
		.query = "cursor limit name"),
	ROUTE("POST", "/v1/tenants/{tenant}/api-keys", "api-keys:write", "CreateApiKey",
		.status = HTTP_CREATED, .handler = create_api_key),
	ROUTE("GET", "/v1/tenants/{tenant}/api-keys/{id}", "api-keys:read", "GetApiKey"),
	ROUTE("DELETE", "/v1/tenants/{tenant}/api-keys/{id}", "api-keys:write", "DeleteApiKey",
		.status = HTTP_NO_CONTENT),
	{ .method = NULL },
};
/* clang-format on */
