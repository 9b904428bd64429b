/*
 * oauth_store: the SQL of sites, clients, authorizations, codes and sign-ins, on the tables of
 * db/migrations/0011_oauth.sql. As services/auth/store.h: each function runs in the call's
 * transaction, on rows of call->tenant unless it says otherwise.
 */
#pragma once

#include "lib/call.h"
#include "lib/db.h"
#include "proto/oauth.pb-c.h"

/* ---- store_site.c ---- */

/* ALREADY_EXISTS: the host is a site of this tenant or another. */
err_t store_site_create(struct call *call, const char *host, Auth__Site *reply) MUST_CHECK;
err_t store_site_get(struct call *call, const char *id, Auth__Site *reply) MUST_CHECK;
err_t store_site_list(
	struct call *call, const Auth__ListRequest *request, Auth__SiteList *reply) MUST_CHECK;
err_t store_site_delete(struct call *call, const char *id) MUST_CHECK;
/* In any tenant that is active; NOT_FOUND. */
err_t store_site_find(struct call *call, const char *host, Auth__SiteTenant *reply) MUST_CHECK;

/* ---- store_client.c ---- */

/* Of `client`: all but created_at, client_secret, version. `digest` NULL: public. ALREADY_EXISTS.
 */
err_t store_client_create(struct call *call, const Auth__OauthClient *client, const char *digest,
	Auth__OauthClient *reply) MUST_CHECK;
err_t store_client_get(struct call *call, const char *id, Auth__OauthClient *reply) MUST_CHECK;
err_t store_client_list(struct call *call, const Auth__ListRequest *request,
	Auth__OauthClientList *reply) MUST_CHECK;
err_t store_client_delete(struct call *call, const char *id) MUST_CHECK;
/* By client_id. NOT_FOUND; else `digest` is its secret's in hex, "" for a public client. */
err_t store_client_find(struct call *call, const char *client_id, Auth__OauthClient *client,
	const char **digest) MUST_CHECK;

/* ---- store_authorization.c ---- */

/* One that a person gave; `life_s` from now. */
struct store_authorization {
	const char *id, *user, *client_id;
	size_t n_scopes;
	char **scopes;
};
err_t store_authorization_create(struct call *call, const struct store_authorization *authorization,
	const char *expires_at) MUST_CHECK;
/* One row or none: user_id, user (name), role, user_state, client_id, scopes, state: active, ended,
 * expired; blocked_open: its app may still be told of a blocked user; tokens_from: the second
 * before which its tokens are void; left_s: seconds until it expires. */
err_t store_authorization_find(struct call *call, const char *id, struct db_rows **rows) MUST_CHECK;
/* The same; until the transaction ends it does not end. */
err_t store_authorization_lock(struct call *call, const char *id, struct db_rows **rows) MUST_CHECK;
/* INVALID_ARGUMENT (cursor, user). */
err_t store_authorization_list(struct call *call, const Auth__OwnListRequest *request,
	Auth__AuthorizationList *reply) MUST_CHECK;
/* Ends it; rows: its id, none if it had ended already, is not there, or is not of this user ("":
 * any).
 */
err_t store_authorization_end(
	struct call *call, const char *id, const char *user, struct db_rows **rows) MUST_CHECK;
/* The same for all of a client. */
err_t store_authorization_end_client(
	struct call *call, const char *client_id, struct db_rows **rows) MUST_CHECK;

/* ---- store_code.c ---- */

struct store_code {
	const char *id, *digest, *user, *client_id, *redirect_uri, *challenge;
	size_t n_scopes;
	char **scopes;
};
err_t store_code_create(
	struct call *call, const struct store_code *code, long session_days) MUST_CHECK;
/* One row or none, locked: digest (hex), user_id, client_id, redirect_uri, scopes, challenge,
 * session_until, used, expired. */
err_t store_code_find(struct call *call, const char *id, struct db_rows **rows) MUST_CHECK;
err_t store_code_use(struct call *call, const char *id) MUST_CHECK;

err_t store_refresh_token_create(struct call *call, const char *id, const char *authorization,
	const char *digest) MUST_CHECK;
/* One row or none, locked: digest (hex), authorization_id, used, in_grace (used within `grace_s`,
 * and its successor was not). */
err_t store_refresh_token_find(
	struct call *call, const char *id, long grace_s, struct db_rows **rows) MUST_CHECK;
/* Marks it used, names who follows it, and marks an earlier follower as used long ago. */
err_t store_refresh_token_use(struct call *call, const char *id, const char *successor) MUST_CHECK;

/* ---- store_device_code.c ---- */

struct store_device_code {
	const char *id, *digest, *user_code, *client_id;
	size_t n_scopes;
	char **scopes;
};
err_t store_device_code_create(
	struct call *call, const struct store_device_code *code, int life_s) MUST_CHECK;
/* One row or none, locked: digest (hex), client_id, scopes, user_id, state, session_until, expired,
 * early (polled before the interval was over). */
err_t store_device_code_find(
	struct call *call, const char *id, long session_days, struct db_rows **rows) MUST_CHECK;
/* One that still waits: id, client_id, scopes. Locked. */
err_t store_device_code_waiting(
	struct call *call, const char *user_code, struct db_rows **rows) MUST_CHECK;
/* Notes a poll; `slower_s` is added to the interval. */
err_t store_device_code_polled(struct call *call, const char *id, int slower_s) MUST_CHECK;
err_t store_device_code_set(
	struct call *call, const char *id, const char *state, const char *user) MUST_CHECK;

/* ---- store_sign_in.c ---- */

/* One row or none: id, password, state, role of the user with this name. */
err_t store_person(struct call *call, const char *name, struct db_rows **rows) MUST_CHECK;
err_t store_sign_in_create(struct call *call, const char *id, const char *user, const char *digest,
	const char *address, const char *agent, long life_s, Auth__SignIn *reply) MUST_CHECK;
/* One row or none: the columns of SignIn, and digest (hex), if it is not over. Notes that it was
 * seen, to the minute. */
err_t store_sign_in_find(struct call *call, const char *id, struct db_rows **rows) MUST_CHECK;
/* INVALID_ARGUMENT (cursor, user). */
err_t store_sign_in_list(
	struct call *call, const Auth__OwnListRequest *request, Auth__SignInList *reply) MUST_CHECK;
/* Its person has shown the second factor. */
err_t store_sign_in_confirm(struct call *call, const char *id) MUST_CHECK;
/* `user`: only if it is this user's; "": whoever's. */
err_t store_sign_in_delete(
	struct call *call, const char *id, const char *user, bool *there) MUST_CHECK;
/* All of a user but that one; NULL: all. */
err_t store_sign_in_delete_others(struct call *call, const char *user, const char *id) MUST_CHECK;

/* ---- store_sign_in_policy.c ---- */

err_t store_sign_in_policy_get(struct call *call, Auth__SignInPolicy *reply) MUST_CHECK;
/* NULL: unchanged. */
err_t store_sign_in_policy_set(struct call *call, const char *second_factor,
	const char *blocked_users, Auth__SignInPolicy *reply) MUST_CHECK;

/* Deletes what is over, in every tenant. */
err_t store_oauth_purge(struct call *call) MUST_CHECK;
