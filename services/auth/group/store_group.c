/* store_group: see group_store.h. Runs in the thread of the call. */
#include "services/auth/group/group_store.h"

#include "lib/mem.h"
#include "services/auth/store.h"

#define COLUMNS "id, name, fabric.rfc3339(created_at) AS created_at, version"

err_t store_group_create(struct call *call, const char *name, Auth__Group *reply)
{
	static const struct db_statement statement = {
		"INSERT INTO auth.\"group\" (tenant_id, name) VALUES ($1, $2) RETURNING " COLUMNS
	};
	const char *params[] = { call->tenant, name };
	err_t err = db_one(call, &statement, &reply->base, "group", ARRAY_LEN(params), params);

	return store_name_taken(call, err, "a group", name);
}

static err_t group_one(
	struct call *call, const struct db_statement *statement, const char *id, Auth__Group *reply)
{
	const char *params[] = { call->tenant, id };

	return db_one(call, statement, &reply->base, "group", ARRAY_LEN(params), params);
}

err_t store_group_get(struct call *call, const char *id, Auth__Group *reply)
{
	static const struct db_statement statement = {
		"SELECT " COLUMNS " FROM auth.\"group\" WHERE tenant_id = $1 AND id = $2"
	};

	return group_one(call, &statement, id, reply);
}

err_t store_group_lock(struct call *call, const char *id, Auth__Group *reply)
{
	static const struct db_statement statement = {
		"SELECT " COLUMNS " FROM auth.\"group\" WHERE tenant_id = $1 AND id = $2"
		" FOR NO KEY UPDATE"
	};

	return group_one(call, &statement, id, reply);
}

err_t store_group_list(struct call *call, const Auth__ListRequest *request, Auth__GroupList *reply)
{
	static const struct db_statement statement = {
		"SELECT " COLUMNS " FROM auth.\"group\""
		" WHERE tenant_id = $1 AND id > $2 AND ($3 = '' OR name = $3)"
		" ORDER BY id LIMIT $4"
	};
	const char *params[] = { call->tenant, store_cursor(request), request->name,
		store_limit(call, request) };

	return db_page(call, &statement, &reply->base, request->limit, ARRAY_LEN(params), params);
}

err_t store_group_update(struct call *call, const char *id, const char *name, Auth__Group *reply)
{
	static const struct db_statement statement = {
		"UPDATE auth.\"group\" SET name = coalesce($3, name), version = version + 1"
		" WHERE tenant_id = $1 AND id = $2 RETURNING " COLUMNS
	};
	const char *params[] = { call->tenant, id, name };
	err_t err = db_one(call, &statement, &reply->base, "group", ARRAY_LEN(params), params);

	return store_name_taken(call, err, "a group", name != NULL ? name : "");
}

err_t store_group_delete(struct call *call, const char *id)
{
	static const struct db_statement statement = {
		"DELETE FROM auth.\"group\" WHERE tenant_id = $1 AND id = $2"
	};

	return DB_QUERY(call, &statement, NULL, call->tenant, id);
}

err_t store_group_member_list(
	struct call *call, const Auth__GroupMembersRequest *request, Auth__UserList *reply)
{
	static const struct db_statement statement = {
		"SELECT " STORE_USER_COLUMNS " FROM auth.\"user\" WHERE tenant_id = $1 AND id > $3"
		" AND id IN (SELECT user_id FROM auth.group_member"
		" WHERE tenant_id = $1 AND group_id = $2) ORDER BY id LIMIT $4"
	};
	Auth__ListRequest page = AUTH__LIST_REQUEST__INIT;

	page.cursor = request->cursor;
	page.limit = request->limit;
	const char *params[] = { call->tenant, request->id, store_cursor(&page),
		store_limit(call, &page) };

	return db_page(call, &statement, &reply->base, request->limit, ARRAY_LEN(params), params);
}

err_t store_group_member_add(struct call *call, const char *id, size_t n, char *const users[])
{
	static const struct db_statement statement = {
		"INSERT INTO auth.group_member (tenant_id, group_id, user_id)"
		" SELECT $1, $2, one::uuid FROM unnest($3::text[]) AS one ON CONFLICT DO NOTHING"
	};

	return DB_QUERY(call, &statement, NULL, call->tenant, id, db_array(call->arena, n, users));
}

err_t store_group_member_remove(struct call *call, const char *id, size_t n, char *const users[])
{
	static const struct db_statement statement = {
		"DELETE FROM auth.group_member"
		" WHERE tenant_id = $1 AND group_id = $2 AND user_id::text = ANY ($3::text[])"
	};

	return DB_QUERY(call, &statement, NULL, call->tenant, id, db_array(call->arena, n, users));
}
