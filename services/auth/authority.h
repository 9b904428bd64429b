/*
 * authority: what the one who acts may hand on. The gateway has checked that it may change users
 * and keys at all; here nobody gives away more than their own role, or touches an owner without
 * being one. Services act for themselves and may all. Runs in the thread of the call.
 */
#pragma once

#include "lib/call.h"

#include <stddef.h>

/* May call->actor make, change or end someone of this role? PERMISSION_DENIED if not. */
err_t authority_over_role(struct call *call, const char *role) MUST_CHECK;

/* May call->actor make a key with this role and scopes (none: all of the role)? INVALID_ARGUMENT if
 * the scopes are not of the role, PERMISSION_DENIED if the actor lacks them. */
err_t authority_over_key(
	struct call *call, const char *role, size_t n_scopes, char *const scopes[]) MUST_CHECK;
