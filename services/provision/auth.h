/*
 * auth: what provision asks of the auth service over the bus, in the thread of the call and within
 * its deadline. Tenant, trace and deadline are the call's. An error comes with auth's own fault.
 */
#pragma once

#include "lib/call.h"
#include "proto/auth.pb-c.h"

/* What an enrolment key grants, without a use of it; call->tenant must be CALL_FLEET. */
err_t auth_look(struct call *call, const char *secret, const Auth__Grant **grant) MUST_CHECK;

/* Counts one use of it. */
err_t auth_redeem(struct call *call, const char *secret) MUST_CHECK;

/* Makes the secret of a new device. */
err_t auth_issue_secret(struct call *call, const char *device, const char **secret) MUST_CHECK;

/* Ends all tokens of a device, and its secret unless it is only suspended. */
err_t auth_revoke(
	struct call *call, const char *device, const char *reason, bool suspend) MUST_CHECK;

err_t auth_sign_token(struct call *call, const Auth__SignTokenRequest *request,
	const Auth__Token **token) MUST_CHECK;

/* Is this the secret of the device? UNAUTHENTICATED if not, or if its tenant is suspended. */
err_t auth_check_secret(struct call *call, const char *device, const char *secret) MUST_CHECK;

/* NOT_FOUND: there is no such user in the tenant. */
err_t auth_get_user(struct call *call, const char *id, const Auth__User **user) MUST_CHECK;

/* Is this the user's code now? `error` says why not; empty: it is. Each try counts. */
err_t auth_check_totp(
	struct call *call, const char *user, const char *code, const char **error) MUST_CHECK;

/* UNAUTHENTICATED if the tenant is suspended. */
err_t auth_check_tenant(struct call *call, const char *tenant) MUST_CHECK;
