/*
 * grant: the grants of the token endpoint, one C file each (RFC 6749 sections 4.1.3, 4.4 and 6, RFC
 * 8628 section 3.4), and what they share. The order of checks and the words of refusals are those
 * that apps know (contract app-api 1.6 and 3). Runs in the thread of the call.
 */
#pragma once

#include "lib/db.h"
#include "proto/oauth.pb-c.h"
#include "services/auth/oauth/client.h"
#include "services/auth/secret.h"

#include <stdbool.h>

/* Each fills the reply: tokens, or an error. */
err_t grant_code(
	struct call *call, const Auth__TokenRequest *request, Auth__TokenReply *reply) MUST_CHECK;
err_t grant_refresh(
	struct call *call, const Auth__TokenRequest *request, Auth__TokenReply *reply) MUST_CHECK;
err_t grant_client_credentials(
	struct call *call, const Auth__TokenRequest *request, Auth__TokenReply *reply) MUST_CHECK;
err_t grant_device(
	struct call *call, const Auth__TokenRequest *request, Auth__TokenReply *reply) MUST_CHECK;

/* ---- grant.c: what they share ---- */

/* The reply becomes an error of OAuth. Always OK. */
err_t grant_error(Auth__TokenReply *reply, const char *error, const char *description);
err_t grant_invalid_request(Auth__TokenReply *reply, const char *description);
err_t grant_invalid(Auth__TokenReply *reply, const char *description); /* invalid_grant */
err_t grant_missing(struct call *call, Auth__TokenReply *reply, const char *parameter);

/* Has the reply become an error? */
bool grant_refused(const Auth__TokenReply *reply);

/* Who asks: the client named in the request, with its secret if it has one; else the reply says
 * invalid_client. */
err_t grant_find_client(struct call *call, const char *client_id, const Auth__TokenRequest *request,
	struct client *client, Auth__TokenReply *reply) MUST_CHECK;

/* Is the secret, of a code or token, of this tenant and the one in the row, if there is one? */
bool grant_is_right(struct call *call, const struct secret *secret, const struct db_rows *rows);

/* Begins the authorization `id` of a code's row (user_id, client_id, scopes, session_until), and
 * gives its tokens. `gone` is said if its person may no longer have any. */
err_t grant_begin(struct call *call, const char *id, const struct db_rows *row, const char *gone,
	Auth__TokenReply *reply) MUST_CHECK;

/* Gives tokens of an authorization that lives already; see authorization_tokens. */
err_t grant_tokens(struct call *call, const char *id, const char *gone, const char **new_id,
	Auth__TokenReply *reply) MUST_CHECK;
