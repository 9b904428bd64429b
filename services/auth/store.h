/*
 * store: all SQL of auth, on the tables of db/migrations/0002_auth.sql. Each function runs in the
 * call's transaction, on rows of call->tenant unless it says otherwise; ids were checked by the
 * caller. Those that name one thing refuse an unknown id with NOT_FOUND. Messages are filled in the
 * call's arena.
 */
#pragma once

#include "lib/call.h"
#include "lib/db.h"
#include "proto/auth.pb-c.h"

#define FLEET_TENANT "00000000-0000-7000-8000-000000000000"

/* ---- store.c: what the others share ---- */

/* A fresh id, for what has its own id in its secret. */
err_t store_new_id(struct call *call, const char **id) MUST_CHECK;
/* Where a list begins: the cursor, or before all ids. */
const char *store_cursor(const Auth__ListRequest *request);
/* Number of rows to ask for, so that db_page sees whether more follow. */
const char *store_limit(struct call *call, const Auth__ListRequest *request);
const char *store_number(struct call *call, long long number);
/* If the last error is that the name is taken, says so; else returns `err`. */
err_t store_name_taken(struct call *call, err_t err, const char *what, const char *name);

/* The first second whose tokens are signed after this moment, by the database's clock. */
#define STORE_NEXT_SECOND "floor(extract(epoch FROM clock_timestamp()))::bigint + 1"

/* ---- store_tenant.c ---- */

/* Waits until no other instance makes the first tenant, and keeps it so until the transaction ends.
 */
err_t store_bootstrap_lock(struct call *call) MUST_CHECK;
/* `id` NULL: a new one, which only a transaction of the whole fleet may make. ALREADY_EXISTS
 * (name). */
err_t store_tenant_create(
	struct call *call, const char *id, const char *name, Auth__Tenant *reply) MUST_CHECK;
err_t store_tenant_get(struct call *call, const char *id, Auth__Tenant *reply) MUST_CHECK;
err_t store_tenant_list(
	struct call *call, const Auth__ListRequest *request, Auth__TenantList *reply) MUST_CHECK;
/* As get of the call's own, and nobody else changes it or its users until the transaction ends. */
err_t store_tenant_lock(struct call *call, Auth__Tenant *reply) MUST_CHECK;
err_t store_tenant_update(struct call *call, const char *state, Auth__Tenant *reply) MUST_CHECK;
err_t store_tenant_delete(struct call *call, long grace_hours, Auth__Tenant *reply) MUST_CHECK;
/* Those whose time of grace is over are for every service to erase, and are not there any more. */
err_t store_tenant_end(struct call *call) MUST_CHECK;
/* Those that every service has erased: `id`. */
err_t store_tenant_erased(struct call *call, struct db_rows **rows) MUST_CHECK;
/* The last of it: events, and its own row. */
err_t store_tenant_forget(struct call *call, const char *id) MUST_CHECK;

/* ---- store_user.c ---- */

/* What User says, of a row of auth."user" by that name. */
#define STORE_USER_COLUMNS                                                                         \
	"id, name, role, state, fabric.rfc3339(created_at) AS created_at, version,"                \
	" ARRAY(SELECT g.name FROM auth.\"group\" g JOIN auth.group_member m"                      \
	" ON m.tenant_id = g.tenant_id AND m.group_id = g.id"                                      \
	" WHERE m.tenant_id = \"user\".tenant_id AND m.user_id = \"user\".id"                      \
	" ORDER BY g.name) AS groups"

/* ALREADY_EXISTS (name). */
err_t store_user_create(struct call *call, const char *name, const char *role,
	const char *password_hash, Auth__User *reply) MUST_CHECK;
err_t store_user_get(struct call *call, const char *id, Auth__User *reply) MUST_CHECK;
err_t store_user_list(
	struct call *call, const Auth__ListRequest *request, Auth__UserList *reply) MUST_CHECK;
/* NULL: unchanged. A new role or password voids the tokens of before. */
err_t store_user_update(struct call *call, const char *id, const char *role, const char *state,
	const char *password_hash, Auth__User *reply) MUST_CHECK;
err_t store_user_delete(struct call *call, const char *id) MUST_CHECK;
err_t store_user_owner_left(struct call *call, bool *left) MUST_CHECK;
/* Is there an active owner beside this one? */
err_t store_user_other_owner(struct call *call, const char *id, bool *there) MUST_CHECK;
/* Is there a user with this name? */
err_t store_user_name_taken(struct call *call, const char *name, bool *taken) MUST_CHECK;

/* ---- store_key.c ---- */

/* Of `key`: id, name, role, scopes. ALREADY_EXISTS (name). */
err_t store_api_key_create(struct call *call, const Auth__ApiKey *key, unsigned expires_in_s,
	const char *digest, Auth__ApiKey *reply) MUST_CHECK;
err_t store_api_key_get(struct call *call, const char *id, Auth__ApiKey *reply) MUST_CHECK;
err_t store_api_key_list(
	struct call *call, const Auth__ListRequest *request, Auth__ApiKeyList *reply) MUST_CHECK;
err_t store_api_key_delete(struct call *call, const char *id) MUST_CHECK;

/* Of `key`: id, name, network, tags, max_uses, approve. ALREADY_EXISTS (name). */
err_t store_enrolment_key_create(struct call *call, const Auth__EnrolmentKey *key,
	unsigned expires_in_s, const char *digest, Auth__EnrolmentKey *reply) MUST_CHECK;
err_t store_enrolment_key_get(
	struct call *call, const char *id, Auth__EnrolmentKey *reply) MUST_CHECK;
err_t store_enrolment_key_list(struct call *call, const Auth__ListRequest *request,
	Auth__EnrolmentKeyList *reply) MUST_CHECK;
/* As get, and nobody else uses or changes the key until the transaction ends. */
err_t store_enrolment_key_lock(
	struct call *call, const char *id, Auth__EnrolmentKey *reply) MUST_CHECK;
err_t store_enrolment_key_revoke(
	struct call *call, const char *id, Auth__EnrolmentKey *reply) MUST_CHECK;

/* ---- store_credential.c: of any tenant, in a transaction of the whole fleet ---- */

/* No row, or one with the digest (hex) of an enrolment key, whatever its state. */
err_t store_enrolment_key_digest(
	struct call *call, const char *tenant, const char *id, struct db_rows **rows) MUST_CHECK;
/* Counts `n` uses, "0" or "1", if the key allows one now, else NOT_FOUND. */
err_t store_enrolment_key_use(struct call *call, const char *tenant, const char *id, const char *n,
	Auth__Grant *reply) MUST_CHECK;

/* No row, or one with the columns of Principal; `usable`: the tenant and what the credential
 * belongs to are as they must be; and `digest` (hex), or of a user id, `password` (its hash), and
 * `needs` as in SignIn. */
err_t store_credential_api_key(
	struct call *call, const char *tenant, const char *id, struct db_rows **rows) MUST_CHECK;
err_t store_credential_device(
	struct call *call, const char *device, struct db_rows **rows) MUST_CHECK;
/* One row also if there is no such user, with empty texts. */
err_t store_credential_user(struct call *call, const char *tenant_name, const char *user,
	struct db_rows **rows) MUST_CHECK;
/* Notes that an API key was used, at most once a minute. */
err_t store_api_key_used(struct call *call, const char *tenant, const char *id) MUST_CHECK;

/* ---- store_subject.c ---- */

/* Replaces the secret of a device. ALREADY_EXISTS: the device is of another tenant. */
err_t store_device_secret_set(struct call *call, const char *device, const char *digest) MUST_CHECK;
err_t store_device_secret_delete(struct call *call, const char *device) MUST_CHECK;
/* Voids the tokens of before. */
err_t store_device_suspend(struct call *call, const char *device) MUST_CHECK;

/* Is the subject of that kind active now? If so it stays so until the transaction ends, and tokens
 * that were signed before the second `from` are not its. */
err_t store_user_active(
	struct call *call, const char *id, bool *active, long long *from) MUST_CHECK;
err_t store_api_key_active(
	struct call *call, const char *id, bool *active, long long *from) MUST_CHECK;
err_t store_device_active(
	struct call *call, const char *id, bool *active, long long *from) MUST_CHECK;

/* STORE_NEXT_SECOND as it is now. */
err_t store_next_second(struct call *call, long long *second) MUST_CHECK;

/* Role and scopes of who acts on a tenant; NOT_FOUND if it may nothing there. */
err_t store_authority(struct call *call, const char *actor, const char *tenant,
	Auth__Principal *reply) MUST_CHECK;

/* ---- store_signing_key.c ---- */

/* Waits until no other instance makes keys, and keeps it so until the transaction ends. */
err_t store_signing_key_lock(struct call *call) MUST_CHECK;
/* Is there no key yet; is the newest one older than `hours`, less `ahead_s`? */
err_t store_signing_key_due(
	struct call *call, long hours, int ahead_s, bool *none, bool *due) MUST_CHECK;
/* Adds a key that signs in `ahead_s`; all others sign until then. */
err_t store_signing_key_add(struct call *call, const char *id, const char *sealed_hex,
	const char *public_jwk, int ahead_s) MUST_CHECK;
/* One row or none: `sealed` (hex) of the key that signs now, `now` (Unix seconds), `token` (a new
 * id). */
err_t store_signing_key_current(struct call *call, struct db_rows **rows) MUST_CHECK;
/* Deletes keys that were retired more than `after_s` ago; rows have `id`. */
err_t store_signing_key_purge(struct call *call, int after_s, struct db_rows **rows) MUST_CHECK;
err_t store_signing_key_set(struct call *call, Auth__KeySet *reply) MUST_CHECK;
