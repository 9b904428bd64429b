/*
 * grant_refresh: a refresh token, and its successor (RFC 6749 section 6, contract app-api 3.4). One
 * that comes again ends the authorization; but its reply may have been lost, so for a moment it
 * may.
 */
#include "services/auth/oauth/grant.h"

#include "services/auth/oauth/authorization.h"
#include "services/auth/oauth/oauth.h"
#include "services/auth/oauth/oauth_store.h"

#include <string.h>

static bool is_scope_same(struct call *call, const struct db_rows *row, const char *scope)
{
	Auth__Authorization authorization = AUTH__AUTHORIZATION__INIT;
	const char *text = "";

	db_message(row, 0, call->arena, &authorization.base);
	for (size_t i = 0; i < authorization.n_scopes; i++)
		text = arena_printf(
			call->arena, "%s%s%s", text, i > 0 ? " " : "", authorization.scopes[i]);
	return strcmp(text, scope) == 0;
}

/* Is the authorization of a refresh token there, its scope as it is asked for, and its client who
 * asks? Otherwise the reply says what is wrong. */
static err_t refresh_check(struct call *call, const Auth__TokenRequest *request, const char *id,
	Auth__TokenReply *reply)
{
	AUTO_ROWS row = NULL;
	struct client client;
	err_t err = store_authorization_lock(call, id, &row);

	if (err != OK)
		return err;
	if (db_count(row) == 0 || strcmp(db_text(row, 0, "state"), "ended") == 0)
		return grant_invalid(reply, "\"refresh_token\" is no longer authorized");
	if (strcmp(db_text(row, 0, "state"), "expired") == 0)
		return grant_invalid(reply, "\"refresh_token\" expired");
	if (*request->scope && !is_scope_same(call, row, request->scope))
		return grant_invalid_request(reply, "unexpected \"scope\"");
	return grant_find_client(call, db_text(row, 0, "client_id"), request, &client, reply);
}

static err_t refresh_again(struct call *call, const char *authorization, Auth__TokenReply *reply)
{
	err_t err = authorization_end(call, authorization, "its refresh token was used again");

	return err == OK ? grant_invalid(reply, "\"refresh_token\" was used before") : err;
}

static err_t refresh_redeem(
	struct call *call, const char *id, const char *authorization, Auth__TokenReply *reply)
{
	static const char gone[] = "\"refresh_token\" is no longer authorized";
	const char *new_id;
	err_t err;

	if (!oauth_settings()->rotate)
		return grant_tokens(call, authorization, gone, NULL, reply);
	err = grant_tokens(call, authorization, gone, &new_id, reply);
	if (err != OK || grant_refused(reply))
		return err;
	return store_refresh_token_use(call, id, new_id);
}

err_t grant_refresh(struct call *call, const Auth__TokenRequest *request, Auth__TokenReply *reply)
{
	AUTO_ROWS row = NULL;
	struct secret secret;
	const char *authorization;
	err_t err;

	if (*request->refresh_token == '\0')
		return grant_missing(call, reply, "refresh_token");
	if (!secret_read(KEYRING_REFRESH_TOKEN, request->refresh_token, NULL, &secret))
		return grant_invalid(reply, "\"refresh_token\" has invalid signature");
	if ((err = store_refresh_token_find(
		     call, secret.id, oauth_settings()->refresh_grace_s, &row)) != OK)
		return err;
	if (!grant_is_right(call, &secret, row))
		return grant_invalid(reply, "\"refresh_token\" has invalid signature");
	authorization = db_text(row, 0, "authorization_id");
	if ((err = refresh_check(call, request, authorization, reply)) != OK ||
		grant_refused(reply))
		return err;
	if (db_bool(row, 0, "used") && !db_bool(row, 0, "in_grace"))
		return refresh_again(call, authorization, reply);
	return refresh_redeem(call, secret.id, authorization, reply);
}
