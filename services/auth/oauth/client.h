/*
 * client: which OAuth 2 clients there are, the tenant's own and the published apps, and whether one
 * is who it says it is. Runs in the thread of the call.
 */
#pragma once

#include "lib/call.h"
#include "proto/oauth.pb-c.h"

#include <stdbool.h>

/* A client that was found. */
struct client {
	Auth__OauthClient is;
	const char *digest; /* of its secret, hex; "" for a public client */
};

/* An error of OAuth: `error` NULL is none. Both texts are static or in the call's arena. */
struct oauth_error {
	const char *error, *description;
};

/* `found` false: there is none. */
err_t client_find(
	struct call *call, const char *client_id, struct client *client, bool *found) MUST_CHECK;

/* Finds the client that a request is from, and checks the secret of a confidential one, which comes
 * with HTTP Basic (RFC 6749 section 2.3). What is wrong is in `error`: invalid_client. */
err_t client_authenticate(struct call *call, const char *client_id, const char *basic_user,
	const char *basic_password, struct client *client, struct oauth_error *error) MUST_CHECK;

/* Are all of the blank-separated scopes the client's? Fills the list, in the arena; false if not,
 * or if there is none. */
bool client_read_scopes(struct call *call, const struct client *client, const char *text,
	char ***scopes, size_t *n_scopes);
