/*
 * authority: what the one who acts may hand on. The gateway has checked that it may change users
 * and keys at all; here nobody gives away more than they have, or touches somebody who has more: an
 * admin no owner, and a token or key with some of its role's scopes nobody who has others. Services
 * act for themselves and may all. Runs in the thread of the call.
 */
#pragma once

#include "lib/call.h"

#include <stdbool.h>
#include <stddef.h>

/* May call->actor make, change or end someone of this role? PERMISSION_DENIED if not. */
err_t authority_over_role(struct call *call, const char *role) MUST_CHECK;

/* May call->actor set the password of this user, who has this role? With it one is that user, so it
 * has to be one's own, or of somebody who may less; an owner sets all. PERMISSION_DENIED if not. */
err_t authority_over_password(struct call *call, const char *user, const char *role) MUST_CHECK;

/* Is call->actor an operator of the fleet, or a service? */
err_t authority_of_fleet(struct call *call, bool *fleet) MUST_CHECK;

/* May call->actor make or end a key with this role and scopes (none: all of the role)?
 * PERMISSION_DENIED if it lacks them. */
err_t authority_over_key(
	struct call *call, const char *role, size_t n_scopes, char *const scopes[]) MUST_CHECK;
