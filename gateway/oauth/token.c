/*
 * token: the endpoints of OAuth 2 that programs ask: tokens (RFC 6749), device codes (RFC 8628),
 * introspection (RFC 7662), revocation (RFC 7009), and the description of all (RFC 8414). In
 * workers.
 */
#include "gateway/compat/face.h"

#include "gateway/oauth/site.h"
#include "lib/json.h"
#include "proto/gateway.pb-c.h"
#include "proto/oauth.pb-c.h"

#include <string.h>

/* ---- requests and replies ---- */

/* An error of OAuth; always OK. */
static err_t refuse(struct api_request *request, const char *error, const char *description)
{
	bool unknown = strcmp(error, "invalid_client") == 0;
	Gateway__OauthError body = GATEWAY__OAUTH_ERROR__INIT;

	body.error = (char *)(uintptr_t)error;
	body.error_description = (char *)(uintptr_t)description;
	if (unknown)
		http_reply_add(request->reply, "WWW-Authenticate", "Basic realm=\"OAuth\"");
	face_reply_json(request, unknown ? HTTP_UNAUTHORIZED : HTTP_BAD_REQUEST, &body.base);
	return OK;
}

/* Fills the message from the form, and its fields basic_user and basic_password from the header. */
static void fill(struct api_request *request, const struct form *form, ProtobufCMessage *message)
{
	const char **user = json_field(message, "basic_user", PROTOBUF_C_TYPE_STRING);
	const char **password = json_field(message, "basic_password", PROTOBUF_C_TYPE_STRING);

	site_fill(form, message);
	*user = *password = "";
	(void)face_basic(request, user, password);
}

/* Reads the form into `message` and asks auth; `answer` NULL: the reply is made already. Where
 * nobody signs in any more the error is `gone`. */
static err_t ask(struct api_request *request, const char *method, const char *gone,
	ProtobufCMessage *message, const void **answer)
{
	const ProtobufCMessage *reply = NULL;
	struct form form;
	err_t err;

	http_reply_add(request->reply, "Pragma", "no-cache");
	*answer = NULL;
	if (form_parse(request->call, "form", request->http->body, request->http->body_len,
		    &form) != OK)
		return refuse(request, "invalid_request", request->call->fault.detail);
	if ((err = site_enter(request)) == ERR_NOT_FOUND)
		return refuse(request, gone, "nobody signs in at this host");
	if (err != OK)
		return err;
	fill(request, &form, message);
	err = bus_call(request->call, &auth__oauth__descriptor, method, message, &reply);
	*answer = reply;
	return err;
}

/* ---- the endpoints ---- */

static err_t on_token(struct api_request *request)
{
	Auth__TokenRequest message = AUTH__TOKEN_REQUEST__INIT;
	Gateway__OauthTokens tokens = GATEWAY__OAUTH_TOKENS__INIT;
	const Auth__TokenReply *reply;
	err_t err = ask(
		request, "ExchangeToken", "invalid_grant", &message.base, (const void **)&reply);

	if (err != OK || reply == NULL)
		return err;
	if (*reply->error)
		return refuse(request, reply->error, reply->error_description);
	tokens.access_token = reply->access_token;
	tokens.token_type = reply->token_type;
	tokens.expires_in = reply->expires_in;
	if (*reply->refresh_token) {
		tokens.set_refresh_token_case =
			GATEWAY__OAUTH_TOKENS__SET_REFRESH_TOKEN_REFRESH_TOKEN;
		tokens.refresh_token = reply->refresh_token;
	}
	face_reply_json(request, HTTP_OK, &tokens.base);
	return OK;
}

static err_t on_device_authorization(struct api_request *request)
{
	Auth__DeviceAuthorizationRequest message = AUTH__DEVICE_AUTHORIZATION_REQUEST__INIT;
	Gateway__OauthDeviceCode code = GATEWAY__OAUTH_DEVICE_CODE__INIT;
	const Auth__DeviceAuthorization *reply;
	err_t err = ask(
		request, "AuthorizeDevice", "invalid_client", &message.base, (const void **)&reply);

	if (err != OK || reply == NULL)
		return err;
	if (*reply->error)
		return refuse(request, reply->error, reply->error_description);
	code.device_code = reply->device_code;
	code.user_code = reply->user_code;
	code.verification_uri = (char *)(uintptr_t)site_url(request, "/oauth/device");
	code.verification_uri_complete = arena_printf(
		request->call->arena, "%s?user_code=%s", code.verification_uri, reply->user_code);
	code.expires_in = reply->expires_in;
	code.interval = reply->interval;
	face_reply_json(request, HTTP_OK, &code.base);
	return OK;
}

static err_t on_introspect(struct api_request *request)
{
	Auth__IntrospectRequest message = AUTH__INTROSPECT_REQUEST__INIT;
	Gateway__OauthInactive inactive = GATEWAY__OAUTH_INACTIVE__INIT;
	Gateway__OauthActive active = GATEWAY__OAUTH_ACTIVE__INIT;
	const Auth__Introspection *reply;
	err_t err = ask(
		request, "IntrospectToken", "invalid_client", &message.base, (const void **)&reply);

	if (err != OK || reply == NULL)
		return err;
	if (*reply->error)
		return refuse(request, reply->error, reply->error_description);
	active.active = true;
	active.scope = reply->scope;
	active.client_id = reply->client_id;
	active.username = reply->username;
	active.token_type = reply->token_type;
	active.exp = reply->exp;
	active.iat = reply->iat;
	active.sub = reply->sub;
	active.tenant = reply->tenant;
	active.role = reply->role;
	face_reply_json(request, HTTP_OK, reply->active ? &active.base : &inactive.base);
	return OK;
}

static err_t on_revoke(struct api_request *request)
{
	Auth__RevokeTokenRequest message = AUTH__REVOKE_TOKEN_REQUEST__INIT;
	const Auth__RevokeTokenReply *reply;
	err_t err =
		ask(request, "RevokeToken", "invalid_client", &message.base, (const void **)&reply);

	if (err != OK || reply == NULL)
		return err;
	if (*reply->error)
		return refuse(request, reply->error, reply->error_description);
	face_reply(request, HTTP_OK, NULL, NULL);
	return OK;
}

static err_t on_metadata(struct api_request *request)
{
	static char *response_types[] = { "code" };
	static char *response_modes[] = { "query" };
	static char *grant_types[] = { "authorization_code", "refresh_token", "client_credentials",
		"urn:ietf:params:oauth:grant-type:device_code" };
	static char *challenge_methods[] = { "S256" };
	static char *auth_methods[] = { "none", "client_secret_basic" };
	Gateway__OauthMetadata metadata = GATEWAY__OAUTH_METADATA__INIT;
	err_t err = site_enter(request);

	if (err != OK)
		return err;
#define URL(path)	  ((char *)(uintptr_t)site_url(request, path))
#define LIST(field, list) (metadata.n_##field = ARRAY_LEN(list), metadata.field = list)
	metadata.issuer = URL("/");
	metadata.authorization_endpoint = URL("/oauth/authorize");
	metadata.token_endpoint = URL("/oauth/token");
	metadata.device_authorization_endpoint = URL("/oauth/device_authorization");
	metadata.introspection_endpoint = URL("/oauth/introspect");
	metadata.revocation_endpoint = URL("/oauth/revoke");
	metadata.jwks_uri = URL("/v1/jwks.json");
	LIST(response_types_supported, response_types);
	LIST(response_modes_supported, response_modes);
	LIST(grant_types_supported, grant_types);
	LIST(code_challenge_methods_supported, challenge_methods);
	LIST(token_endpoint_auth_methods_supported, auth_methods);
	LIST(revocation_endpoint_auth_methods_supported, auth_methods);
	metadata.n_introspection_endpoint_auth_methods_supported = 1;
	metadata.introspection_endpoint_auth_methods_supported = auth_methods + 1;
	metadata.authorization_response_iss_parameter_supported = true;
	face_reply_json(request, HTTP_OK, &metadata.base);
	return OK;
}

/* clang-format off */
#define FORM_POST(pattern, on) \
	{ .method = "POST", .path = pattern, .handler = on, .flags = ROUTE_FORM | ROUTE_REPEATABLE }

const struct route oauth_token_routes[] = {
	FORM_POST("/oauth/token", on_token),
	FORM_POST("/vpn-user-portal/oauth.php/token", on_token), /* as VPN apps know it */
	FORM_POST("/oauth/device_authorization", on_device_authorization),
	FORM_POST("/oauth/introspect", on_introspect),
	FORM_POST("/oauth/revoke", on_revoke),
	{ .method = "GET", .path = "/.well-known/oauth-authorization-server", .handler = on_metadata },
	{ .method = NULL },
};
/* clang-format on */
