/* store_device_code: the SQL of device codes; see oauth_store.h. Runs in the thread of the call. */
#include "services/auth/oauth/oauth_store.h"

#include "lib/mem.h"
#include "services/auth/store.h"

err_t store_device_code_create(struct call *call, const struct store_device_code *code, int life_s)
{
	static const struct db_statement statement = {
		"INSERT INTO auth.oauth_device_code"
		" (tenant_id, id, digest, user_code, client_id, scopes, expires_at)"
		" VALUES ($1, $2, decode($3, 'hex'), $4, $5, $6,"
		" now() + make_interval(secs => $7::integer))"
	};
	const char *params[] = { call->tenant, code->id, code->digest, code->user_code,
		code->client_id, db_array(call->arena, code->n_scopes, code->scopes),
		store_number(call, life_s) };

	return db_query(call, &statement, NULL, ARRAY_LEN(params), params);
}

err_t store_device_code_find(
	struct call *call, const char *id, long session_days, struct db_rows **rows)
{
	static const struct db_statement statement = {
		"SELECT encode(digest, 'hex') AS digest, client_id, scopes, user_id, state,"
		" now() + make_interval(days => $3::integer) AS session_until,"
		" expires_at <= now() AS expired, coalesce(polled_at >"
		" now() - make_interval(secs => interval_s), false) AS early"
		" FROM auth.oauth_device_code WHERE tenant_id = $1 AND id = $2 FOR UPDATE"
	};

	return DB_QUERY(call, &statement, rows, call->tenant, id, store_number(call, session_days));
}

err_t store_device_code_waiting(struct call *call, const char *user_code, struct db_rows **rows)
{
	static const struct db_statement statement = {
		"SELECT id, client_id, scopes FROM auth.oauth_device_code"
		" WHERE tenant_id = $1 AND user_code = $2 AND state = 'pending'"
		" AND expires_at > now() FOR UPDATE"
	};

	return DB_QUERY(call, &statement, rows, call->tenant, user_code);
}

err_t store_device_code_polled(struct call *call, const char *id, int slower_s)
{
	static const struct db_statement statement = {
		"UPDATE auth.oauth_device_code SET polled_at = now(),"
		" interval_s = interval_s + $3::integer WHERE tenant_id = $1 AND id = $2"
	};

	return DB_QUERY(call, &statement, NULL, call->tenant, id, store_number(call, slower_s));
}

err_t store_device_code_set(struct call *call, const char *id, const char *state, const char *user)
{
	static const struct db_statement statement = {
		"UPDATE auth.oauth_device_code SET state = $3, user_id = coalesce($4, user_id)"
		" WHERE tenant_id = $1 AND id = $2"
	};
	const char *params[] = { call->tenant, id, state, user };

	return db_query(call, &statement, NULL, ARRAY_LEN(params), params);
}
