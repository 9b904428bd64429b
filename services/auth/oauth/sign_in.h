/*
 * sign_in: people's browsers. Runs in the thread of the call.
 */
#pragma once

#include "lib/call.h"
#include "proto/oauth.pb-c.h"

/* Whose browser has this secret, whatever the user's state. UNAUTHENTICATED: nobody's, or no
 * longer. */
err_t sign_in_find(struct call *call, const char *secret, Auth__SignIn *person) MUST_CHECK;

/* The same for what only an active user may do who is wholly signed in; PERMISSION_DENIED if not.
 */
err_t sign_in_person(struct call *call, const char *secret, Auth__SignIn *person) MUST_CHECK;

/* Signs the browser of a user in, who has shown to be it. */
err_t sign_in_create(struct call *call, const char *user, const char *address, const char *agent,
	Auth__SignIn *reply) MUST_CHECK;
