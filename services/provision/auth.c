/* auth: see auth.h. */
#include "services/provision/auth.h"

#include "lib/bus.h"
#include "proto/second_factor.pb-c.h"

#include <string.h>

static err_t ask_with_key(struct call *call, const char *key, const char *method,
	const ProtobufCMessage *request, const ProtobufCMessage **reply)
{
	const char *before = call->idempotency_key;
	err_t err;

	call->idempotency_key = key;
	err = bus_call(call, &auth__auth__descriptor, method, request, reply);
	call->idempotency_key = before;
	return err;
}

/* Asks auth for what is so now, which a retry asks anew. Changes nothing: has no key. */
static err_t auth_ask(struct call *call, const char *method, const ProtobufCMessage *request,
	const ProtobufCMessage **reply)
{
	return ask_with_key(call, "", method, request, reply);
}

/* Calls auth as the step `step` of this call: a retry of the call finds what the step did before.
 */
static err_t auth_step(struct call *call, const char *step, const char *method,
	const ProtobufCMessage *request, const ProtobufCMessage **reply)
{
	return ask_with_key(call, call_step_key(call, step), method, request, reply);
}

err_t auth_look(struct call *call, const char *secret, const Auth__Grant **grant)
{
	Auth__RedeemEnrolmentKeyRequest request = AUTH__REDEEM_ENROLMENT_KEY_REQUEST__INIT;

	request.secret = (char *)secret;
	request.check_only = true;
	return auth_step(call, "look", "RedeemEnrolmentKey", &request.base,
		(const ProtobufCMessage **)grant);
}

err_t auth_redeem(struct call *call, const char *secret)
{
	Auth__RedeemEnrolmentKeyRequest request = AUTH__REDEEM_ENROLMENT_KEY_REQUEST__INIT;
	const char *tenant = call->tenant;
	const ProtobufCMessage *reply;
	err_t err;

	request.secret = (char *)secret;
	call->tenant = CALL_FLEET;
	err = auth_step(call, "redeem", "RedeemEnrolmentKey", &request.base, &reply);
	call->tenant = tenant;
	return err;
}

/* The device is part of the step: a call that is run again makes another device, with another id.
 */
err_t auth_issue_secret(struct call *call, const char *device, const char **secret)
{
	Auth__IssueDeviceSecretRequest request = AUTH__ISSUE_DEVICE_SECRET_REQUEST__INIT;
	const Auth__DeviceSecret *reply;
	err_t err;

	request.device = (char *)device;
	err = auth_step(call, arena_printf(call->arena, "secret/%s", device), "IssueDeviceSecret",
		&request.base, (const ProtobufCMessage **)&reply);
	if (err == OK)
		*secret = reply->secret;
	return err;
}

err_t auth_revoke(struct call *call, const char *device, const char *reason, bool suspend)
{
	Auth__RevokeRequest request = AUTH__REVOKE_REQUEST__INIT;
	const ProtobufCMessage *reply;

	request.subject = arena_printf(call->arena, "device:%s", device);
	request.reason = (char *)reason;
	request.suspend = suspend;
	return auth_step(call, "revoke", "Revoke", &request.base, &reply);
}

err_t auth_sign_token(
	struct call *call, const Auth__SignTokenRequest *request, const Auth__Token **token)
{
	return auth_step(
		call, "token", "SignToken", &request->base, (const ProtobufCMessage **)token);
}

err_t auth_check_secret(struct call *call, const char *device, const char *secret)
{
	Auth__Credential request = AUTH__CREDENTIAL__INIT;
	const ProtobufCMessage *reply;

	request.device = (char *)(uintptr_t)device;
	request.device_secret = (char *)(uintptr_t)secret;
	return auth_ask(call, "Authenticate", &request.base, &reply);
}

err_t auth_get_user(struct call *call, const char *id, const Auth__User **user)
{
	Auth__Ref request = AUTH__REF__INIT;

	request.id = (char *)(uintptr_t)id;
	return auth_ask(call, "GetUser", &request.base, (const ProtobufCMessage **)user);
}

err_t auth_check_totp(struct call *call, const char *user, const char *code, const char **error)
{
	Auth__CheckTotpRequest request = AUTH__CHECK_TOTP_REQUEST__INIT;
	const char *key = call->idempotency_key;
	const Auth__CheckTotpReply *reply;
	err_t err;

	request.user = (char *)(uintptr_t)user;
	request.code = (char *)(uintptr_t)code;
	call->idempotency_key = call_step_key(call, "totp");
	err = bus_call(call, &auth__second_factors__descriptor, "CheckTotp", &request.base,
		(const ProtobufCMessage **)&reply);
	call->idempotency_key = key;
	if (err == OK)
		*error = reply->error;
	return err;
}

err_t auth_check_tenant(struct call *call, const char *tenant)
{
	Auth__Ref request = AUTH__REF__INIT;
	const ProtobufCMessage *reply;
	err_t err;

	request.id = (char *)(uintptr_t)tenant;
	err = auth_ask(call, "GetTenant", &request.base, &reply);
	if (err != OK)
		return err;
	return strcmp(((const Auth__Tenant *)reply)->state, "active") == 0 ? OK
									   : ERR_UNAUTHENTICATED;
}
