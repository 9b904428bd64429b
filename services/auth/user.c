/*
 * user: see user.h. Whoever changes a user holds the lock of its tenant, so that two owners can't
 * demote each other at the same time.
 */
#include "services/auth/user.h"

#include "lib/check.h"
#include "services/auth/authority.h"
#include "services/auth/handlers.h"
#include "services/auth/oauth/oauth_store.h"
#include "services/auth/password.h"
#include "services/auth/request.h"
#include "services/auth/revocation.h"
#include "services/auth/store.h"

#include <stdbool.h>
#include <string.h>

const char *const user_roles[] = { "owner", "admin", "operator", "auditor", "member", NULL };

static const char *const states[] = { "active", "blocked", NULL };

/* What an update changes; NULL where it changes nothing. */
struct change {
	const char *role;
	const char *state;
	const char *password_hash;
};

static bool is_active_owner(const Auth__User *user)
{
	return strcmp(user->role, "owner") == 0 && strcmp(user->state, "active") == 0;
}

static err_t lock_user(struct call *call, const char *id, Auth__User *user)
{
	Auth__Tenant tenant = AUTH__TENANT__INIT;
	err_t err = store_tenant_lock(call, &tenant);

	return err == OK ? store_user_get(call, id, user) : err;
}

/* After a change of `before`, which was an active owner or not: is there one still? */
static err_t check_owner_left(struct call *call, const Auth__User *before)
{
	bool left = true;
	err_t err = is_active_owner(before) ? store_user_owner_left(call, &left) : OK;

	if (err != OK || left)
		return err;
	return call_refuse(call, ERR_FAILED_PRECONDITION, NULL,
		"this is the last active owner; make another one first");
}

static err_t end_tokens(struct call *call, const char *id, const char *reason)
{
	return revocation_publish(call, arena_printf(call->arena, "user:%s", id), reason);
}

err_t create_user(struct call *call, const Auth__CreateUserRequest *request, Auth__User *reply)
{
	char hash[PASSWORD_HASH_LEN];
	err_t err;

	if ((err = request_check_name(call, request->name)) != OK ||
		(err = check_word(call, "role", request->role, user_roles)) != OK ||
		(err = password_check(call, "password", request->name, request->password)) != OK ||
		(err = authority_over_role(call, request->role)) != OK ||
		(err = password_hash(call, request->password, hash)) != OK)
		return err;
	return store_user_create(call, request->name, request->role, hash, reply);
}

err_t user_make(struct call *call, const char *name, const char *role, Auth__User *made)
{
	return store_user_create(call, name, role, "", made);
}

err_t get_user(struct call *call, const Auth__Ref *request, Auth__User *reply)
{
	err_t err = check_uuid(call, "id", request->id);

	return err == OK ? store_user_get(call, request->id, reply) : err;
}

err_t list_users(struct call *call, const Auth__ListRequest *request, Auth__UserList *reply)
{
	err_t err = request_check_list(call, request);

	return err == OK ? store_user_list(call, request, reply) : err;
}

/* Checks the request and turns it into a change; `hash` has room for the password's. */
static err_t change_read(struct call *call, const Auth__UpdateUserRequest *request,
	struct change *change, char hash[PASSWORD_HASH_LEN])
{
	const char *password = request->set_password_case ? request->password : NULL;
	err_t err;

	change->role = request->set_role_case ? request->role : NULL;
	change->state = request->set_state_case ? request->state : NULL;
	change->password_hash = password ? hash : NULL;
	if ((err = check_uuid(call, "id", request->id)) != OK)
		return err;
	if (change->role && (err = check_word(call, "role", change->role, user_roles)) != OK)
		return err;
	if (change->state && (err = check_word(call, "state", change->state, states)) != OK)
		return err;
	if (password && (err = password_check(call, "password", "", password)) != OK)
		return err;
	return password ? password_hash(call, password, hash) : OK;
}

/* Why the tokens of a user end with a change; NULL if they don't. */
static const char *why_tokens_end(const struct change *change, const Auth__User *before)
{
	if (change->state && strcmp(change->state, "blocked") == 0 &&
		strcmp(before->state, "blocked") != 0)
		return "the user was blocked";
	if (change->role && strcmp(change->role, before->role) != 0)
		return "the user's role was changed";
	return change->password_hash ? "the user's password was changed" : NULL;
}

static err_t change_apply(
	struct call *call, const struct change *change, const Auth__User *before, Auth__User *reply)
{
	const char *reason = why_tokens_end(change, before);
	err_t err;

	if ((err = authority_over_role(call, before->role)) != OK)
		return err;
	if (change->role && (err = authority_over_role(call, change->role)) != OK)
		return err;
	if (change->password_hash &&
		(err = authority_over_password(call, before->id, before->role)) != OK)
		return err;
	if ((err = store_user_update(call, before->id, change->role, change->state,
		     change->password_hash, reply)) != OK ||
		(err = check_owner_left(call, before)) != OK)
		return err;
	if (change->password_hash &&
		(err = store_sign_in_delete_others(call, before->id, NULL)) != OK)
		return err;
	return reason ? end_tokens(call, before->id, reason) : OK;
}

/* Which name the password must not be is known only when the user is. */
static err_t check_password(
	struct call *call, const Auth__UpdateUserRequest *request, const Auth__User *user)
{
	if (!request->set_password_case)
		return OK;
	return password_check(call, "password", user->name, request->password);
}

err_t update_user(struct call *call, const Auth__UpdateUserRequest *request, Auth__User *reply)
{
	Auth__User before = AUTH__USER__INIT;
	char hash[PASSWORD_HASH_LEN];
	struct change change;
	err_t err;

	if ((err = change_read(call, request, &change, hash)) != OK ||
		(err = lock_user(call, request->id, &before)) != OK ||
		(err = request_check_version(call, request->version, before.version)) != OK ||
		(err = check_password(call, request, &before)) != OK)
		return err;
	return change_apply(call, &change, &before, reply);
}

err_t delete_user(struct call *call, const Auth__Ref *request, Auth__Empty *reply)
{
	Auth__User before = AUTH__USER__INIT;
	err_t err;

	(void)reply;
	if ((err = check_uuid(call, "id", request->id)) != OK ||
		(err = lock_user(call, request->id, &before)) != OK ||
		(err = request_check_version(call, request->version, before.version)) != OK ||
		(err = authority_over_role(call, before.role)) != OK ||
		(err = store_user_delete(call, request->id)) != OK ||
		(err = check_owner_left(call, &before)) != OK)
		return err;
	return end_tokens(call, request->id, "the user was deleted");
}

err_t user_remove_member(struct call *call, const char *id)
{
	Auth__User before = AUTH__USER__INIT;
	err_t err = lock_user(call, id, &before);

	if (err != OK)
		return err == ERR_NOT_FOUND ? OK : err;
	if (strcmp(before.role, "member") != 0)
		return call_refuse(call, ERR_PERMISSION_DENIED, "name",
			"the user has the role %s: only members are removed so", before.role);
	err = store_user_delete(call, id);
	return err == OK ? end_tokens(call, id, "the user was deleted") : err;
}

err_t user_set_password(struct call *call, const char *id, const char *password)
{
	Auth__User before = AUTH__USER__INIT, after = AUTH__USER__INIT;
	char hash[PASSWORD_HASH_LEN];
	err_t err = password_hash(call, password, hash);

	if (err != OK || (err = lock_user(call, id, &before)) != OK ||
		(err = store_user_update(call, id, NULL, NULL, hash, &after)) != OK)
		return err;
	return end_tokens(call, id, "the user's password was changed");
}

err_t user_take_role(struct call *call, const char *id, const char *role, bool of_owners)
{
	Auth__User before = AUTH__USER__INIT, after = AUTH__USER__INIT;
	bool left = true;
	err_t err = lock_user(call, id, &before);

	if (err != OK || strcmp(before.role, role) == 0 ||
		(!of_owners && strcmp(before.role, "owner") == 0))
		return err;
	if (is_active_owner(&before) && (err = store_user_other_owner(call, id, &left)) != OK)
		return err;
	if (!left)
		return OK;
	if ((err = store_user_update(call, id, role, NULL, NULL, &after)) != OK)
		return err;
	return end_tokens(call, id, "the user's role was changed");
}

err_t user_block(struct call *call, const char *id)
{
	Auth__User before = AUTH__USER__INIT, after = AUTH__USER__INIT;
	err_t err = lock_user(call, id, &before);

	if (err == ERR_NOT_FOUND)
		return OK;
	if (err != OK || (err = authority_over_role(call, before.role)) != OK ||
		(err = store_user_update(call, id, NULL, "blocked", NULL, &after)) != OK)
		return err;
	return check_owner_left(call, &before);
}
