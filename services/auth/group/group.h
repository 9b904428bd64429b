/* group: the methods of proto/group.proto. Run in the thread of the call. */
#pragma once

#include "lib/call.h"
#include "proto/group.pb-c.h"

/* Tells those who let people in by their groups that a user was taken out of one; "": several. */
err_t group_left(struct call *call, const char *user) MUST_CHECK;

err_t create_group(
	struct call *call, const Auth__CreateGroupRequest *request, Auth__Group *reply) MUST_CHECK;
err_t get_group(struct call *call, const Auth__Ref *request, Auth__Group *reply) MUST_CHECK;
err_t list_groups(
	struct call *call, const Auth__ListRequest *request, Auth__GroupList *reply) MUST_CHECK;
err_t update_group(
	struct call *call, const Auth__UpdateGroupRequest *request, Auth__Group *reply) MUST_CHECK;
err_t delete_group(struct call *call, const Auth__Ref *request, Auth__Empty *reply) MUST_CHECK;
err_t list_group_members(struct call *call, const Auth__GroupMembersRequest *request,
	Auth__UserList *reply) MUST_CHECK;
err_t change_group_members(struct call *call, const Auth__ChangeGroupMembersRequest *request,
	Auth__Empty *reply) MUST_CHECK;
