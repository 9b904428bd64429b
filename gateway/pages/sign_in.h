/*
 * sign_in: who sits before the browser: the cookie, and the page that asks for a password. In
 * workers.
 */
#pragma once

#include "gateway/api.h"
#include "gateway/target.h"
#include "proto/oauth.pb-c.h"

/*
 * Finds the person, in the tenant that site_enter chose, who is wholly signed in and not blocked.
 * If there is none, or if `form` (of a POST, else NULL) holds a name and a password, the reply is
 * made: the page that asks for what is missing, or the way back to where the request wanted to go;
 * then `person` is NULL.
 */
err_t sign_in_require(struct api_request *request, const struct form *form,
	const Auth__SignIn **person) MUST_CHECK;

/* What the browser's cookie holds; "" without one. */
const char *sign_in_secret(struct api_request *request);

/* Says that too many passwords are checked right now. */
void sign_in_busy(struct api_request *request);

/* Gives a browser its sign-in, and sends it to where it wanted to go. */
void sign_in_take(struct api_request *request, const char *secret, const char *target);

/* Ends the browser's sign-in. */
err_t sign_in_end(struct api_request *request) MUST_CHECK;
