/* account: what the account pages share. In workers. */
#pragma once

#include "gateway/api.h"
#include "gateway/target.h"
#include "proto/oauth.pb-c.h"

/*
 * Who is signed in, for a page of the account. With `form` not NULL the request is a POST, and its
 * form is read into it. `person` NULL: the reply is made.
 */
err_t account_enter(
	struct api_request *request, struct form *form, const Auth__SignIn **person) MUST_CHECK;

#define ACCOUNT_PAGE(pattern, on)                                                                  \
	{                                                                                          \
		.method = "GET", .path = pattern, .handler = on                                    \
	}
#define ACCOUNT_FORM(pattern, on)                                                                  \
	{                                                                                          \
		.method = "POST", .path = pattern, .handler = on,                                  \
		.flags = ROUTE_FORM | ROUTE_REPEATABLE                                             \
	}
