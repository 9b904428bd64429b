/* group: see group.h. */
#include "services/auth/group/group.h"

#include "lib/check.h"
#include "lib/event.h"
#include "proto/event.pb-c.h"
#include "services/auth/group/group_store.h"
#include "services/auth/request.h"

#define CHANGE_MAX 200 /* users in one change */

err_t group_left(struct call *call, const char *user)
{
	Event__GroupsChanged event = EVENT__GROUPS_CHANGED__INIT;

	event.user = (char *)(uintptr_t)user;
	return event_publish(call, "groups", &event.base);
}

err_t create_group(struct call *call, const Auth__CreateGroupRequest *request, Auth__Group *reply)
{
	err_t err = request_check_name(call, request->name);

	return err == OK ? store_group_create(call, request->name, reply) : err;
}

err_t get_group(struct call *call, const Auth__Ref *request, Auth__Group *reply)
{
	err_t err = check_uuid(call, "id", request->id);

	return err == OK ? store_group_get(call, request->id, reply) : err;
}

err_t list_groups(struct call *call, const Auth__ListRequest *request, Auth__GroupList *reply)
{
	err_t err = request_check_list(call, request);

	return err == OK ? store_group_list(call, request, reply) : err;
}

/* Finds it, as its sender saw it, and keeps it so. */
static err_t lock(struct call *call, const char *id, int64_t version)
{
	Auth__Group group = AUTH__GROUP__INIT;
	err_t err;

	if ((err = check_uuid(call, "id", id)) != OK ||
		(err = store_group_lock(call, id, &group)) != OK)
		return err;
	return request_check_version(call, version, group.version);
}

err_t update_group(struct call *call, const Auth__UpdateGroupRequest *request, Auth__Group *reply)
{
	const char *name = request->set_name_case ? request->name : NULL;
	err_t err = name ? request_check_name(call, name) : OK;

	if (err != OK || (err = lock(call, request->id, request->version)) != OK)
		return err;
	err = store_group_update(call, request->id, name, reply);
	return err == OK && name ? group_left(call, "") : err;
}

err_t delete_group(struct call *call, const Auth__Ref *request, Auth__Empty *reply)
{
	err_t err = lock(call, request->id, request->version);

	(void)reply;
	if (err != OK || (err = store_group_delete(call, request->id)) != OK)
		return err;
	return group_left(call, "");
}

err_t list_group_members(
	struct call *call, const Auth__GroupMembersRequest *request, Auth__UserList *reply)
{
	Auth__Group group = AUTH__GROUP__INIT;
	err_t err;

	if ((*request->cursor && (err = check_uuid(call, "cursor", request->cursor)) != OK) ||
		(err = check_uuid(call, "id", request->id)) != OK ||
		(err = store_group_get(call, request->id, &group)) != OK)
		return err;
	return store_group_member_list(call, request, reply);
}

static err_t check_users(struct call *call, const char *field, size_t n, char *const users[])
{
	err_t err = OK;

	if (n > CHANGE_MAX)
		return call_refuse(
			call, ERR_INVALID_ARGUMENT, field, "expected at most %d users", CHANGE_MAX);
	for (size_t i = 0; err == OK && i < n; i++)
		err = check_uuid(call, field, users[i]);
	return err;
}

err_t change_group_members(
	struct call *call, const Auth__ChangeGroupMembersRequest *request, Auth__Empty *reply)
{
	err_t err;

	(void)reply;
	if ((err = check_users(call, "add", request->n_add, request->add)) != OK ||
		(err = check_users(call, "remove", request->n_remove, request->remove)) != OK ||
		(err = lock(call, request->id, 0)) != OK ||
		(err = store_group_member_remove(
			 call, request->id, request->n_remove, request->remove)) != OK)
		return err;
	err = store_group_member_add(call, request->id, request->n_add, request->add);
	if (err == ERR_FAILED_PRECONDITION)
		return call_refuse(call, ERR_NOT_FOUND, "add", "one of them is no user here");
	if (err != OK || request->n_remove == 0)
		return err;
	return group_left(call, request->n_remove == 1 ? request->remove[0] : "");
}
