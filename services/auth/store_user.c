/* store_user: the SQL of users; see store.h. Runs in the thread of the call. */
#include "services/auth/store.h"

#include "lib/mem.h"

#define COLUMNS STORE_USER_COLUMNS

err_t store_user_create(struct call *call, const char *name, const char *role,
	const char *password_hash, Auth__User *reply)
{
	static const struct db_statement statement = {
		"INSERT INTO auth.\"user\" (tenant_id, name, role, password)"
		" VALUES ($1, $2, $3, $4) RETURNING " COLUMNS
	};
	const char *params[] = { call->tenant, name, role, password_hash };
	err_t err = db_one(call, &statement, &reply->base, "user", ARRAY_LEN(params), params);

	return store_name_taken(call, err, "a user", name);
}

err_t store_user_get(struct call *call, const char *id, Auth__User *reply)
{
	static const struct db_statement statement = {
		"SELECT " COLUMNS " FROM auth.\"user\" WHERE tenant_id = $1 AND id = $2"
	};
	const char *params[] = { call->tenant, id };

	return db_one(call, &statement, &reply->base, "user", ARRAY_LEN(params), params);
}

err_t store_user_list(struct call *call, const Auth__ListRequest *request, Auth__UserList *reply)
{
	static const struct db_statement statement = {
		"SELECT " COLUMNS " FROM auth.\"user\""
		" WHERE tenant_id = $1 AND id > $2 AND ($3 = '' OR name = $3)"
		" ORDER BY id LIMIT $4"
	};
	const char *params[] = { call->tenant, store_cursor(request), request->name,
		store_limit(call, request) };

	return db_page(call, &statement, &reply->base, request->limit, ARRAY_LEN(params), params);
}

err_t store_user_update(struct call *call, const char *id, const char *role, const char *state,
	const char *password_hash, Auth__User *reply)
{
	static const struct db_statement statement = {
		"UPDATE auth.\"user\" SET role = coalesce($3, role), state = coalesce($4, state),"
		" password = coalesce($5, password), version = version + 1,"
		" tokens_from = CASE WHEN $3 <> role OR $5 <> password"
		" THEN " STORE_NEXT_SECOND " ELSE tokens_from END"
		" WHERE tenant_id = $1 AND id = $2 RETURNING " COLUMNS
	};
	const char *params[] = { call->tenant, id, role, state, password_hash };

	return db_one(call, &statement, &reply->base, "user", ARRAY_LEN(params), params);
}

err_t store_user_delete(struct call *call, const char *id)
{
	static const struct db_statement statement = {
		"DELETE FROM auth.\"user\" WHERE tenant_id = $1 AND id = $2"
	};

	return DB_QUERY(call, &statement, NULL, call->tenant, id);
}

err_t store_user_owner_left(struct call *call, bool *left)
{
	static const struct db_statement statement = {
		"SELECT EXISTS (SELECT FROM auth.\"user\""
		" WHERE tenant_id = $1 AND role = 'owner' AND state = 'active') AS \"left\""
	};
	AUTO_ROWS rows = NULL;
	err_t err = DB_QUERY(call, &statement, &rows, call->tenant);

	if (err == OK)
		*left = db_bool(rows, 0, "left");
	return err;
}

err_t store_user_name_taken(struct call *call, const char *name, bool *taken)
{
	static const struct db_statement statement = {
		"SELECT EXISTS (SELECT FROM auth.\"user\" WHERE tenant_id = $1 AND name = $2)"
		" AS taken"
	};
	AUTO_ROWS rows = NULL;
	err_t err = DB_QUERY(call, &statement, &rows, call->tenant, name);

	if (err == OK)
		*taken = db_bool(rows, 0, "taken");
	return err;
}

err_t store_user_other_owner(struct call *call, const char *id, bool *there)
{
	static const struct db_statement statement = {
		"SELECT EXISTS (SELECT FROM auth.\"user\" WHERE tenant_id = $1 AND id <> $2"
		" AND role = 'owner' AND state = 'active') AS there"
	};
	AUTO_ROWS rows = NULL;
	err_t err = DB_QUERY(call, &statement, &rows, call->tenant, id);

	if (err == OK)
		*there = db_bool(rows, 0, "there");
	return err;
}
