/*
 * introspect: whether an access token is good now (RFC 7662), and ending what a token belongs to
 * (RFC 7009). Runs in the thread of the call.
 */
#include "services/auth/oauth/oauth.h"

#include "lib/clock.h"
#include "lib/token.h"
#include "services/auth/federation/federation.h"
#include "services/auth/handlers.h"
#include "services/auth/oauth/authorization.h"
#include "services/auth/oauth/client.h"
#include "services/auth/oauth/oauth_store.h"
#include "services/auth/secret.h"
#include "services/auth/sign_token.h"
#include "services/auth/store.h"

#include <string.h>

/* ---- reading a token ---- */

static void keys_destroy_at(struct token_keys **slot)
{
	token_keys_destroy(*slot);
}
#define AUTO_KEYS __attribute__((cleanup(keys_destroy_at))) struct token_keys *

/* Reads an access token that we signed for this tenant; `mine` false if it is none. */
static err_t read_token(
	struct call *call, const char *text, struct token_claims *claims, bool *mine)
{
	Auth__KeySet set = AUTH__KEY_SET__INIT;
	AUTO_KEYS keys = NULL;
	err_t err = store_signing_key_set(call, &set);

	if (err != OK)
		return err;
	if (token_keys_create(&keys, set.jwks) != OK)
		return call_refuse(call, ERR_INTERNAL, NULL, "the key set can't be read");
	*mine = token_read(keys, text, strlen(text), sign_token_issuer(), claims) == OK &&
		strcmp(claims->tenant, call->tenant) == 0;
	return OK;
}

static bool is_over(const struct token_claims *claims)
{
	return claims->expires_at <= clock_unix_ms() / 1000;
}

/* ---- is it good? ---- */

static void fill(struct call *call, const struct token_claims *claims, Auth__Introspection *reply)
{
	struct arena *arena = call->arena;
	char *scope = "";

	for (size_t i = 0; i < claims->n_scopes; i++)
		scope = arena_printf(arena, "%s%s%s", scope, i > 0 ? " " : "", claims->scopes[i]);
	reply->scope = scope;
	reply->client_id = arena_strdup(arena, claims->client);
	reply->authorization = arena_strdup(arena, claims->authorization);
	reply->tenant = arena_strdup(arena, claims->tenant);
	reply->sub = arena_strdup(arena, claims->subject);
	reply->role = arena_strdup(arena, claims->role);
	reply->exp = claims->expires_at;
	reply->iat = claims->issued_at;
	reply->token_type = "bearer";
}

/* Why the authorization behind a token no longer holds; "" if it does. */
static err_t why_ended(struct call *call, const struct token_claims *claims,
	Auth__Introspection *reply, const char **why)
{
	AUTO_ROWS row = NULL;
	struct client client;
	bool found;
	err_t err = client_find(call, claims->client, &client, &found);

	if (err != OK || (err = store_authorization_find(call, claims->authorization, &row)) != OK)
		return err;
	if (!found)
		*why = "client";
	else if (db_count(row) == 0 || strcmp(db_text(row, 0, "state"), "active") != 0)
		*why = "ended";
	else if (claims->issued_at < db_int(row, 0, "tokens_from"))
		*why = "ended";
	else if (strcmp(db_text(row, 0, "user_state"), "active") != 0)
		*why = db_bool(row, 0, "blocked_open") ? "blocked" : "ended";
	if (db_count(row) > 0) {
		reply->username = arena_strdup(call->arena, db_text(row, 0, "user"));
		reply->authorization_until = db_int(row, 0, "until_s");
	}
	return OK;
}

/* An access token of an API key, or of a password without OAuth, has no authorization: ask who has
 * it. */
static err_t why_not_active(struct call *call, const struct token_claims *claims, const char **why)
{
	long long from = 0;
	err_t err = sign_token_check_active(call, claims->subject, &from);

	if (err != OK || claims->issued_at < from)
		*why = "ended";
	return err == ERR_UNAUTHENTICATED ? OK : err;
}

static err_t examine(struct call *call, const char *text, Auth__Introspection *reply)
{
	struct token_claims claims;
	const char *why = "";
	bool mine;
	err_t err = read_token(call, text, &claims, &mine);

	if (err != OK)
		return err;
	if (!mine) {
		reply->inactive = "invalid";
		return OK;
	}
	fill(call, &claims, reply);
	if (is_over(&claims))
		why = "expired";
	else if (claims.authorization[0] != '\0')
		err = why_ended(call, &claims, reply, &why);
	else
		err = why_not_active(call, &claims, &why);
	reply->inactive = (char *)(uintptr_t)why;
	reply->active = *why == '\0';
	return err;
}

err_t check_access(
	struct call *call, const Auth__CheckAccessRequest *request, Auth__Introspection *reply)
{
	err_t err = examine(call, request->token, reply);

	if (err != OK || strcmp(reply->inactive, "invalid") != 0)
		return err;
	return guest_examine(call, request->token, reply);
}

/* ---- the methods of OAuth ---- */

/* A confidential client, or an API key (RFC 7662 section 2.1): `error` set if it is neither. */
static err_t authenticate_resource(
	struct call *call, const Auth__IntrospectRequest *request, struct oauth_error *error)
{
	Auth__Credential credential = AUTH__CREDENTIAL__INIT;
	Auth__Principal principal = AUTH__PRINCIPAL__INIT;
	struct client client;
	err_t err = client_authenticate(call, request->basic_user, request->basic_user,
		request->basic_password, &client, error);

	if (err != OK || (error->error == NULL && *client.digest))
		return err;
	credential.api_key = request->basic_password;
	err = authenticate(call, &credential, &principal);
	if (err != OK && err != ERR_UNAUTHENTICATED)
		return err;
	*error = err == OK && strcmp(principal.tenant, call->tenant) == 0
			 ? (struct oauth_error){ NULL, NULL }
			 : (struct oauth_error){ "invalid_client",
				   "expected HTTP Basic of a confidential client or with an API "
				   "key" };
	return OK;
}

err_t introspect_token(
	struct call *call, const Auth__IntrospectRequest *request, Auth__Introspection *reply)
{
	struct oauth_error error = { NULL, NULL };
	err_t err = authenticate_resource(call, request, &error);

	if (err != OK)
		return err;
	if (error.error == NULL)
		return examine(call, request->token, reply);
	reply->error = (char *)(uintptr_t)error.error;
	reply->error_description = (char *)(uintptr_t)error.description;
	return OK;
}

/* The authorization that a refresh or access token belongs to; "" if none. */
static err_t owner_of(struct call *call, const char *token, const char **authorization)
{
	AUTO_ROWS row = NULL;
	struct token_claims claims;
	struct secret secret;
	bool mine = false;
	err_t err;

	if (secret_read(KEYRING_REFRESH_TOKEN, token, NULL, &secret)) {
		err = store_refresh_token_find(call, secret.id, 0, &row);
		if (err == OK && db_count(row) > 0 && strcmp(secret.tenant, call->tenant) == 0 &&
			secret_matches(&secret, db_text(row, 0, "digest")))
			*authorization =
				arena_strdup(call->arena, db_text(row, 0, "authorization_id"));
		return err;
	}
	err = read_token(call, token, &claims, &mine);
	if (err == OK && mine)
		*authorization = arena_strdup(call->arena, claims.authorization);
	return err;
}

/* A token that is unknown is as good as revoked (RFC 7009 section 2.2). */
err_t revoke_token(
	struct call *call, const Auth__RevokeTokenRequest *request, Auth__RevokeTokenReply *reply)
{
	struct oauth_error error = { NULL, NULL };
	const char *authorization = "";
	AUTO_ROWS row = NULL;
	struct client client;
	err_t err;

	if ((err = client_authenticate(call, request->client_id, request->basic_user,
		     request->basic_password, &client, &error)) != OK)
		return err;
	if (error.error != NULL) {
		reply->error = (char *)(uintptr_t)error.error;
		reply->error_description = (char *)(uintptr_t)error.description;
		return OK;
	}
	if ((err = owner_of(call, request->token, &authorization)) != OK || !*authorization ||
		(err = store_authorization_find(call, authorization, &row)) != OK)
		return err;
	if (db_count(row) == 0 || strcmp(db_text(row, 0, "client_id"), client.is.client_id) != 0)
		return OK;
	return authorization_end(call, authorization, "its client gave it back");
}
