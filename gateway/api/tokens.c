/*
 * tokens: access tokens, for who shows a password or an API key, and for who has a token or key
 * already and wants another one that may do less.
 */
#include "gateway/api/tables.h"

#include "gateway/compat/face.h"
#include "gateway/request.h"
#include "proto/auth.pb-c.h"

#include <string.h>

/* Signs for `identity`, in its tenant, with these scopes. */
static err_t sign(struct api_request *request, const struct identity *identity,
	const char *const scopes[], size_t n_scopes)
{
	Auth__SignTokenRequest message = AUTH__SIGN_TOKEN_REQUEST__INIT;
	const ProtobufCMessage *reply;
	err_t err;

	message.subject = (char *)(uintptr_t)identity->subject;
	message.role = (char *)(uintptr_t)identity->role;
	message.scopes = (char **)(uintptr_t)scopes;
	message.n_scopes = n_scopes;
	request->call->actor = identity->subject;
	if ((err = api_call(request, &message.base, &reply)) == OK)
		api_send(request, reply);
	return err;
}

/* Devices have their own way in: attachments. */
static err_t token_from_credential(struct api_request *request)
{
	static const char *const except[] = { "device", "device_secret", "address", NULL };
	Auth__Credential credential = AUTH__CREDENTIAL__INIT;
	struct identity *caller = &request->caller;
	err_t err;

	if ((err = request_read(request, except, &credential.base)) != OK)
		return err;
	credential.address = (char *)(uintptr_t)face_address(request);
	err = identity_ask(request->call, &credential.base, caller);
	if (caller->retry_after_s > 0)
		http_reply_add(request->reply, "Retry-After",
			arena_printf(request->call->arena, "%u", caller->retry_after_s));
	if (err != OK)
		return err;
	request->call->tenant = caller->tenant;
	return sign(request, caller, caller->scopes, caller->n_scopes);
}

/* Who shows a token gets only a narrower one, and that one makes none: else a stolen token would
 * renew itself for ever. */
static err_t check_renewal(struct api_request *request, const Auth__IssueTokenRequest *message)
{
	const struct identity *caller = &request->caller;

	if (strcmp(request->call->tenant, caller->tenant) != 0)
		return call_refuse(request->call, ERR_PERMISSION_DENIED, "tenant",
			"a token is always of one's own tenant");
	if (!caller->by_token)
		return OK;
	if (caller->n_scopes > 0)
		return call_refuse(request->call, ERR_PERMISSION_DENIED, "",
			"a narrowed token makes no other one");
	if (message->n_scopes == 0)
		return call_refuse(request->call, ERR_INVALID_ARGUMENT, "scopes",
			"expected at least one scope");
	return OK;
}

static err_t token_from_caller(struct api_request *request)
{
	const struct identity *caller = &request->caller;
	Auth__IssueTokenRequest message = AUTH__ISSUE_TOKEN_REQUEST__INIT;
	err_t err;

	if ((err = request_read(request, NULL, &message.base)) != OK ||
		(err = check_renewal(request, &message)) != OK)
		return err;
	if (message.n_scopes == 0)
		return sign(request, caller, caller->scopes, caller->n_scopes);
	err = identity_check_grant(request->call, caller, message.scopes, message.n_scopes);
	if (err != OK)
		return err;
	return sign(request, caller, (const char *const *)message.scopes, message.n_scopes);
}

/* clang-format off */
#define SERVICE &auth__auth__descriptor

const struct route tokens_routes[] = {
	ROUTE("POST", "/v1/tokens", NULL, "SignToken",
		.flags = ROUTE_REPEATABLE | ROUTE_COSTLY, .handler = token_from_credential),
	ROUTE("POST", "/v1/tenants/{tenant}/tokens", ROUTE_ANYONE, "SignToken",
		.flags = ROUTE_REPEATABLE, .handler = token_from_caller),
	{ .method = NULL },
};
/* clang-format on */
