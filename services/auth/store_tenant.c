/* store_tenant: the SQL of tenants; see store.h. Runs in the thread of the call. */
#include "services/auth/store.h"

#include "lib/mem.h"

#define COLUMNS                                                                                    \
	"id, name, state, fabric.rfc3339(created_at) AS created_at, version,"                      \
	" fabric.rfc3339(delete_at) AS delete_at"
/* One that is being erased is not there any more. */
#define THERE "state <> 'erasing'"

static err_t tenant_one(struct call *call, const struct db_statement *statement, const char *id,
	Auth__Tenant *reply)
{
	err_t err = db_one(call, statement, &reply->base, "tenant", 1, &id);

	if (err != ERR_NOT_FOUND)
		return err;
	return call_refuse(call, err, NULL, "no tenant %s here", id);
}

err_t store_bootstrap_lock(struct call *call)
{
	static const struct db_statement statement = {
		"SELECT pg_advisory_xact_lock(hashtext('auth.tenant'))"
	};

	return db_query(call, &statement, NULL, 0, NULL);
}

err_t store_tenant_create(struct call *call, const char *id, const char *name, Auth__Tenant *reply)
{
	static const struct db_statement statement = {
		"INSERT INTO auth.tenant (id, name) VALUES (coalesce($1, fabric.uuid7()), $2)"
		" RETURNING " COLUMNS
	};
	const char *params[] = { id, name };
	err_t err = db_one(call, &statement, &reply->base, "tenant", ARRAY_LEN(params), params);

	return store_name_taken(call, err, "a tenant", name);
}

err_t store_tenant_get(struct call *call, const char *id, Auth__Tenant *reply)
{
	static const struct db_statement statement = {
		"SELECT " COLUMNS " FROM auth.tenant WHERE id = $1 AND " THERE
	};

	return tenant_one(call, &statement, id, reply);
}

err_t store_tenant_list(
	struct call *call, const Auth__ListRequest *request, Auth__TenantList *reply)
{
	static const struct db_statement statement = {
		"SELECT " COLUMNS " FROM auth.tenant"
		" WHERE id > $1 AND ($2 = '' OR name = $2) AND " THERE " ORDER BY id LIMIT $3"
	};
	const char *params[] = { store_cursor(request), request->name, store_limit(call, request) };

	return db_page(call, &statement, &reply->base, request->limit, ARRAY_LEN(params), params);
}

err_t store_tenant_lock(struct call *call, Auth__Tenant *reply)
{
	static const struct db_statement statement = {
		"SELECT " COLUMNS " FROM auth.tenant WHERE id = $1 AND " THERE " FOR NO KEY UPDATE"
	};

	return tenant_one(call, &statement, call->tenant, reply);
}

err_t store_tenant_update(struct call *call, const char *state, Auth__Tenant *reply)
{
	static const struct db_statement statement = {
		"UPDATE auth.tenant SET state = $2, delete_at = NULL, version = version + 1,"
		" tokens_from = " STORE_NEXT_SECOND " WHERE id = $1 RETURNING " COLUMNS
	};
	const char *params[] = { call->tenant, state };

	return db_one(call, &statement, &reply->base, "tenant", ARRAY_LEN(params), params);
}

err_t store_tenant_delete(struct call *call, long grace_hours, Auth__Tenant *reply)
{
	static const struct db_statement statement = {
		"UPDATE auth.tenant SET state = 'deleting', version = version + 1,"
		" delete_at = now() + make_interval(hours => $2::integer)"
		" WHERE id = $1 RETURNING " COLUMNS
	};
	const char *params[] = { call->tenant, store_number(call, grace_hours) };

	return db_one(call, &statement, &reply->base, "tenant", ARRAY_LEN(params), params);
}

err_t store_tenant_end(struct call *call)
{
	static const struct db_statement statement = {
		"WITH ended AS (UPDATE auth.tenant SET state = 'erasing', version = version + 1"
		" WHERE state = 'deleting' AND delete_at <= now() RETURNING id)"
		" INSERT INTO fabric.erasure (tenant_id, service)"
		" SELECT id, service FROM ended, fabric.stateful"
	};

	return db_query(call, &statement, NULL, 0, NULL);
}

err_t store_tenant_erased(struct call *call, struct db_rows **rows)
{
	static const struct db_statement statement = {
		"SELECT id FROM auth.tenant WHERE state = 'erasing'"
		" AND NOT EXISTS (SELECT FROM fabric.erasure WHERE tenant_id = tenant.id)"
	};

	return db_query(call, &statement, rows, 0, NULL);
}

err_t store_tenant_forget(struct call *call, const char *id)
{
	static const struct db_statement events = { "CALL fabric.forget($1)" };
	static const struct db_statement tenant = { "DELETE FROM auth.tenant WHERE id = $1" };
	err_t err = DB_QUERY(call, &events, NULL, id);

	return err == OK ? DB_QUERY(call, &tenant, NULL, id) : err;
}
