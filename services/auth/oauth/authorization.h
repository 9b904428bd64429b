/*
 * authorization: what a person allowed to a client: the tokens made of it, and its end. Runs in the
 * thread of the call.
 */
#pragma once

#include "lib/call.h"
#include "proto/oauth.pb-c.h"
#include "services/auth/oauth/oauth_store.h"

/* Fills the reply with an access token of the authorization, whose row is of
 * store_authorization_lock, and a refresh token, whose id becomes `new_id`; none if that is NULL.
 * NOT_FOUND if its person may no longer have any. */
err_t authorization_tokens(struct call *call, const char *id, const struct db_rows *row,
	const char **new_id, Auth__TokenReply *reply) MUST_CHECK;

/* Ends it, with all its tokens; nothing if it is over already. */
err_t authorization_end(struct call *call, const char *id, const char *reason) MUST_CHECK;
err_t authorization_end_client(struct call *call, const char *client_id) MUST_CHECK;
