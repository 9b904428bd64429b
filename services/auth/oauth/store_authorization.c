/*
 * store_authorization: the SQL of what people allowed to clients; see oauth_store.h. Runs in the
 * thread of the call.
 */
#include "services/auth/oauth/oauth_store.h"

#include "lib/mem.h"
#include "services/auth/oauth/own_list.h"
#include "services/auth/store.h"

err_t store_authorization_create(
	struct call *call, const struct store_authorization *authorization, const char *expires_at)
{
	static const struct db_statement statement = {
		"INSERT INTO auth.oauth_authorization"
		" (tenant_id, id, user_id, client_id, scopes, expires_at)"
		" VALUES ($1, $2, $3, $4, $5, $6)"
	};
	const char *params[] = { call->tenant, authorization->id, authorization->user,
		authorization->client_id,
		db_array(call->arena, authorization->n_scopes, authorization->scopes), expires_at };

	return db_query(call, &statement, NULL, ARRAY_LEN(params), params);
}

#define FIND                                                                                       \
	"SELECT a.user_id, u.name AS user, u.role, u.state AS user_state, a.client_id,"            \
	" a.scopes, CASE WHEN ended_at IS NOT NULL THEN 'ended'"                                   \
	" WHEN expires_at <= now() THEN 'expired' ELSE 'active' END AS state,"                     \
	" coalesce(p.blocked_users, 'open') = 'open' AS blocked_open,"                             \
	" greatest(t.tokens_from, u.tokens_from) AS tokens_from,"                                  \
	" floor(extract(epoch FROM expires_at - now()))::bigint AS left_s,"                        \
	" floor(extract(epoch FROM expires_at))::bigint AS until_s"                                \
	" FROM auth.oauth_authorization a JOIN auth.tenant t ON t.id = a.tenant_id"                \
	" JOIN auth.\"user\" u ON u.tenant_id = a.tenant_id AND u.id = a.user_id"                  \
	" LEFT JOIN auth.sign_in_policy p ON p.tenant_id = a.tenant_id"                            \
	" WHERE a.tenant_id = $1 AND a.id = $2"

err_t store_authorization_find(struct call *call, const char *id, struct db_rows **rows)
{
	static const struct db_statement statement = { FIND };

	return DB_QUERY(call, &statement, rows, call->tenant, id);
}

err_t store_authorization_lock(struct call *call, const char *id, struct db_rows **rows)
{
	static const struct db_statement statement = { FIND " FOR SHARE OF a" };

	return DB_QUERY(call, &statement, rows, call->tenant, id);
}

#define PAGE(compare, direction)                                                                   \
	"SELECT a.id, user_id AS user, a.client_id, c.name AS client_name, a.scopes,"              \
	" fabric.rfc3339(a.created_at) AS created_at,"                                             \
	" fabric.rfc3339(expires_at) AS expires_at"                                                \
	" FROM auth.oauth_authorization a LEFT JOIN auth.oauth_client c"                           \
	" ON c.tenant_id = a.tenant_id AND c.client_id = a.client_id"                              \
	" WHERE a.tenant_id = $1 AND a.id " compare " $2"                                          \
	" AND ($3::text IS NULL OR user_id = $3::uuid)"                                            \
	" AND ended_at IS NULL AND expires_at > now() ORDER BY a.id " direction " LIMIT $4"

err_t store_authorization_list(
	struct call *call, const Auth__OwnListRequest *request, Auth__AuthorizationList *reply)
{
	static const struct own_list list = OWN_LIST(PAGE);

	return own_list_page(call, &list, request, &reply->base);
}

err_t store_authorization_end(
	struct call *call, const char *id, const char *user, struct db_rows **rows)
{
	static const struct db_statement statement = {
		"UPDATE auth.oauth_authorization SET ended_at = now()"
		" WHERE tenant_id = $1 AND id = $2 AND ended_at IS NULL"
		" AND ($3 = '' OR user_id::text = $3) RETURNING id"
	};

	return DB_QUERY(call, &statement, rows, call->tenant, id, user);
}

err_t store_authorization_end_client(
	struct call *call, const char *client_id, struct db_rows **rows)
{
	static const struct db_statement statement = {
		"UPDATE auth.oauth_authorization SET ended_at = now()"
		" WHERE tenant_id = $1 AND client_id = $2 AND ended_at IS NULL RETURNING id"
	};

	return DB_QUERY(call, &statement, rows, call->tenant, client_id);
}
