/* signing_keys: the keys that verify access tokens, for everyone, and their rotation. */
#include "gateway/api/tables.h"

#include "gateway/request.h"
#include "proto/auth.pb-c.h"

#include <string.h>

static void send_keys(struct api_request *request, const char *jwks)
{
	api_send_text(request, "application/json", jwks, strlen(jwks));
}

static err_t get_keys(struct api_request *request)
{
	const char *jwks;
	err_t err = trust_jwks(request->api->trust, request->call, &jwks);

	if (err == OK)
		send_keys(request, jwks);
	return err;
}

static err_t rotate(struct api_request *request)
{
	Auth__Empty message = AUTH__EMPTY__INIT;
	const ProtobufCMessage *reply;
	err_t err = request_read(request, NULL, &message.base);

	if (err == OK && (err = api_call(request, &message.base, &reply)) == OK)
		send_keys(request, ((const Auth__KeySet *)reply)->jwks);
	return err;
}

/* clang-format off */
#define SERVICE &auth__auth__descriptor

const struct route signing_keys_routes[] = {
	{ "GET", "/v1/jwks.json", .handler = get_keys },
	{ "GET", "/.well-known/jwks.json", .handler = get_keys },
	ROUTE("POST", "/v1/signing-keys", "keys:write", "RotateKeys",
		.flags = ROUTE_FLEET, .handler = rotate),
	{ .method = NULL },
};
/* clang-format on */
