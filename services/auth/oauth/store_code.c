/*
 * store_code: the SQL of authorization codes and refresh tokens; see oauth_store.h. A row that is
 * read is locked, so that of several who show the same code or token only one is the first. Runs in
 * the thread of the call.
 */
#include "services/auth/oauth/oauth_store.h"

#include "lib/mem.h"
#include "services/auth/store.h"

#define CODE_LIFE "interval '5 minutes'"

err_t store_code_create(struct call *call, const struct store_code *code, long session_days)
{
	static const struct db_statement statement = {
		"INSERT INTO auth.oauth_code (tenant_id, id, digest, user_id, client_id,"
		" redirect_uri, scopes, challenge, expires_at)"
		" VALUES ($1, $2, decode($3, 'hex'), $4, $5, $6, $7, $8,"
		" now() + make_interval(days => $9::integer))"
	};
	const char *params[] = { call->tenant, code->id, code->digest, code->user, code->client_id,
		code->redirect_uri, db_array(call->arena, code->n_scopes, code->scopes),
		code->challenge, store_number(call, session_days) };

	return db_query(call, &statement, NULL, ARRAY_LEN(params), params);
}

err_t store_code_find(struct call *call, const char *id, struct db_rows **rows)
{
	static const struct db_statement statement = {
		"SELECT encode(digest, 'hex') AS digest, user_id, client_id, redirect_uri, scopes,"
		" challenge, expires_at AS session_until, used_at IS NOT NULL AS used,"
		" created_at <= now() - " CODE_LIFE " AS expired"
		" FROM auth.oauth_code WHERE tenant_id = $1 AND id = $2 FOR UPDATE"
	};

	return DB_QUERY(call, &statement, rows, call->tenant, id);
}

err_t store_code_use(struct call *call, const char *id)
{
	static const struct db_statement statement = {
		"UPDATE auth.oauth_code SET used_at = now() WHERE tenant_id = $1 AND id = $2"
	};

	return DB_QUERY(call, &statement, NULL, call->tenant, id);
}

err_t store_refresh_token_create(
	struct call *call, const char *id, const char *authorization, const char *digest)
{
	static const struct db_statement statement = {
		"INSERT INTO auth.oauth_refresh_token (tenant_id, id, authorization_id, digest)"
		" VALUES ($1, $2, $3, decode($4, 'hex'))"
	};

	return DB_QUERY(call, &statement, NULL, call->tenant, id, authorization, digest);
}

err_t store_refresh_token_find(
	struct call *call, const char *id, long grace_s, struct db_rows **rows)
{
	static const struct db_statement statement = {
		"SELECT encode(t.digest, 'hex') AS digest, t.authorization_id,"
		" t.used_at IS NOT NULL AS used,"
		" coalesce(t.used_at > now() - make_interval(secs => $3::integer)"
		" AND s.used_at IS NULL, false) AS in_grace"
		" FROM auth.oauth_refresh_token t LEFT JOIN auth.oauth_refresh_token s"
		" ON s.tenant_id = t.tenant_id AND s.id = t.successor"
		" WHERE t.tenant_id = $1 AND t.id = $2 FOR UPDATE OF t"
	};

	return DB_QUERY(call, &statement, rows, call->tenant, id, store_number(call, grace_s));
}

err_t store_refresh_token_use(struct call *call, const char *id, const char *successor)
{
	static const struct db_statement statement = {
		"WITH lost AS (UPDATE auth.oauth_refresh_token f SET used_at = '-infinity'"
		" FROM auth.oauth_refresh_token t WHERE t.tenant_id = $1 AND t.id = $2"
		" AND f.tenant_id = $1 AND f.id = t.successor)"
		" UPDATE auth.oauth_refresh_token SET used_at = coalesce(used_at, now()),"
		" successor = $3 WHERE tenant_id = $1 AND id = $2"
	};

	return DB_QUERY(call, &statement, NULL, call->tenant, id, successor);
}
