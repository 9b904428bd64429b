/* authorization: see authorization.h, and the methods that list and end them. */
#include "services/auth/oauth/authorization.h"

#include "lib/check.h"
#include "lib/mem.h"
#include "services/auth/handlers.h"
#include "services/auth/oauth/apps.h"
#include "services/auth/oauth/oauth.h"
#include "services/auth/revocation.h"
#include "services/auth/secret.h"
#include "services/auth/sign_token.h"
#include "services/auth/signing_key.h"
#include "services/auth/store.h"

#include <stdbool.h>
#include <string.h>

/* ---- tokens ---- */

/* An app of a blocked user goes on to ask for configurations, so that it is told why none works. */
static bool is_for_blocked(const struct db_rows *row, const Auth__Authorization *authorization)
{
	return db_bool(row, 0, "blocked_open") &&
	       strcmp(db_text(row, 0, "user_state"), "blocked") == 0 &&
	       authorization->n_scopes == 1 && strcmp(authorization->scopes[0], "config") == 0;
}

static err_t access_token(
	struct call *call, const char *id, const struct db_rows *row, Auth__TokenReply *reply)
{
	Auth__SignTokenRequest request = AUTH__SIGN_TOKEN_REQUEST__INIT;
	Auth__Authorization authorization = AUTH__AUTHORIZATION__INIT;
	Auth__Token token = AUTH__TOKEN__INIT;
	long long left_s = db_int(row, 0, "left_s");
	err_t err;

	db_message(row, 0, call->arena, &authorization.base);
	request.subject = arena_printf(call->arena, "user:%s", db_text(row, 0, "user_id"));
	request.role = (char *)(uintptr_t)db_text(row, 0, "role");
	request.scopes = authorization.scopes;
	request.n_scopes = authorization.n_scopes;
	request.client_id = authorization.client_id;
	request.authorization = (char *)(uintptr_t)id;
	request.life_s = left_s < SIGNING_KEY_TOKEN_MAX_S ? (uint32_t)(left_s > 0 ? left_s : 1)
							  : SIGNING_KEY_TOKEN_MAX_S;
	err = is_for_blocked(row, &authorization) ? sign_token_unchecked(call, &request, &token)
						  : sign_token(call, &request, &token);
	if (err != OK)
		return err == ERR_UNAUTHENTICATED ? ERR_NOT_FOUND : err;
	reply->access_token = token.access_token;
	reply->token_type = "bearer";
	reply->expires_in = token.expires_in;
	return OK;
}

err_t authorization_tokens(struct call *call, const char *id, const struct db_rows *row,
	const char **new_id, Auth__TokenReply *reply)
{
	struct secret secret;
	err_t err = access_token(call, id, row, reply);

	if (err != OK || new_id == NULL)
		return err;
	if ((err = store_new_id(call, new_id)) != OK)
		return err;
	reply->refresh_token = (char *)(uintptr_t)secret_create(
		call->arena, KEYRING_REFRESH_TOKEN, call->tenant, *new_id, &secret);
	return store_refresh_token_create(call, *new_id, id, secret.digest);
}

/* ---- the end ---- */

static err_t publish_ends(struct call *call, const struct db_rows *rows, const char *reason)
{
	err_t err = OK;

	for (size_t i = 0; err == OK && i < db_count(rows); i++)
		err = revocation_publish(call,
			arena_printf(call->arena, "authorization:%s", db_text(rows, i, "id")),
			reason);
	return err;
}

err_t authorization_end(struct call *call, const char *id, const char *reason)
{
	AUTO_ROWS rows = NULL;
	err_t err = store_authorization_end(call, id, "", &rows);

	return err == OK ? publish_ends(call, rows, reason) : err;
}

err_t authorization_end_client(struct call *call, const char *client_id)
{
	AUTO_ROWS rows = NULL;
	err_t err = store_authorization_end_client(call, client_id, &rows);

	return err == OK ? publish_ends(call, rows, "the client was deleted") : err;
}

/* ---- the methods ---- */

err_t list_authorizations(
	struct call *call, const Auth__OwnListRequest *request, Auth__AuthorizationList *reply)
{
	err_t err = store_authorization_list(call, request, reply);

	if (err != OK)
		return err;
	for (size_t i = 0; i < reply->n_items; i++) {
		Auth__OauthClient app = AUTH__OAUTH_CLIENT__INIT;

		if (app_find(reply->items[i]->client_id, &app))
			reply->items[i]->client_name = app.name;
	}
	return OK;
}

err_t end_authorization(struct call *call, const Auth__OwnRef *request, Auth__Empty *reply)
{
	AUTO_ROWS rows = NULL;
	err_t err = check_uuid(call, "id", request->id);

	(void)reply;
	if (err != OK ||
		(err = store_authorization_end(call, request->id, request->user, &rows)) != OK)
		return err;
	if (db_count(rows) == 0)
		return call_refuse(
			call, ERR_NOT_FOUND, "id", "no authorization %s here", request->id);
	return publish_ends(call, rows, "the authorization was ended");
}
