/* group_store: the SQL of groups. As services/auth/store.h. */
#pragma once

#include "lib/call.h"
#include "lib/db.h"
#include "proto/group.pb-c.h"

/* ALREADY_EXISTS (name), here and at update. */
err_t store_group_create(struct call *call, const char *name, Auth__Group *reply) MUST_CHECK;
err_t store_group_get(struct call *call, const char *id, Auth__Group *reply) MUST_CHECK;
err_t store_group_list(
	struct call *call, const Auth__ListRequest *request, Auth__GroupList *reply) MUST_CHECK;
/* As get, and nobody else changes it until the transaction ends. */
err_t store_group_lock(struct call *call, const char *id, Auth__Group *reply) MUST_CHECK;
/* `name` NULL: unchanged. */
err_t store_group_update(
	struct call *call, const char *id, const char *name, Auth__Group *reply) MUST_CHECK;
err_t store_group_delete(struct call *call, const char *id) MUST_CHECK;
err_t store_group_member_list(struct call *call, const Auth__GroupMembersRequest *request,
	Auth__UserList *reply) MUST_CHECK;
/* FAILED_PRECONDITION: one of them is no user here. */
err_t store_group_member_add(
	struct call *call, const char *id, size_t n, char *const users[]) MUST_CHECK;
err_t store_group_member_remove(
	struct call *call, const char *id, size_t n, char *const users[]) MUST_CHECK;
