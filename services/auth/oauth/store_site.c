/* store_site: the SQL of sites; see oauth_store.h. Runs in the thread of the call. */
#include "services/auth/oauth/oauth_store.h"

#include "lib/mem.h"
#include "services/auth/store.h"

#define COLUMNS "id, name, fabric.rfc3339(created_at) AS created_at, version"

err_t store_site_create(struct call *call, const char *host, Auth__Site *reply)
{
	static const struct db_statement statement = {
		"INSERT INTO auth.site (tenant_id, name) VALUES ($1, $2) RETURNING " COLUMNS
	};
	const char *params[] = { call->tenant, host };
	err_t err = db_one(call, &statement, &reply->base, "site", ARRAY_LEN(params), params);

	return store_name_taken(call, err, "a site", host);
}

err_t store_site_get(struct call *call, const char *id, Auth__Site *reply)
{
	static const struct db_statement statement = {
		"SELECT " COLUMNS " FROM auth.site WHERE tenant_id = $1 AND id = $2"
	};
	const char *params[] = { call->tenant, id };

	return db_one(call, &statement, &reply->base, "site", ARRAY_LEN(params), params);
}

err_t store_site_list(struct call *call, const Auth__ListRequest *request, Auth__SiteList *reply)
{
	static const struct db_statement statement = {
		"SELECT " COLUMNS " FROM auth.site"
		" WHERE tenant_id = $1 AND id > $2 AND ($3 = '' OR name = $3)"
		" ORDER BY id LIMIT $4"
	};
	const char *params[] = { call->tenant, store_cursor(request), request->name,
		store_limit(call, request) };

	return db_page(call, &statement, &reply->base, request->limit, ARRAY_LEN(params), params);
}

err_t store_site_delete(struct call *call, const char *id)
{
	static const struct db_statement statement = {
		"DELETE FROM auth.site WHERE tenant_id = $1 AND id = $2"
	};

	return DB_QUERY(call, &statement, NULL, call->tenant, id);
}

err_t store_site_find(struct call *call, const char *host, Auth__SiteTenant *reply)
{
	static const struct db_statement statement = {
		"SELECT tenant_id AS tenant FROM auth.site"
		" JOIN auth.tenant ON tenant.id = tenant_id WHERE tenant.state = 'active' AND "
		"site.name = $1"
	};
	const char *params[] = { host };
	err_t err = db_one(call, &statement, &reply->base, "site", 1, params);

	if (err != ERR_NOT_FOUND)
		return err;
	return call_refuse(call, err, "host", "nobody signs in at this host");
}
