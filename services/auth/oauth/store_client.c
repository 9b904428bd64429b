/* store_client: the SQL of OAuth 2 clients; see oauth_store.h. Runs in the thread of the call. */
#include "services/auth/oauth/oauth_store.h"

#include "lib/mem.h"
#include "services/auth/store.h"

#define COLUMNS                                                                                    \
	"id, client_id, name, redirect_uris, scopes, digest IS NOT NULL AS confidential,"          \
	" approval, fabric.rfc3339(created_at) AS created_at, version"

err_t store_client_create(struct call *call, const Auth__OauthClient *client, const char *digest,
	Auth__OauthClient *reply)
{
	static const struct db_statement statement = {
		"INSERT INTO auth.oauth_client (tenant_id, id, client_id, name, redirect_uris,"
		" scopes, digest, approval)"
		" VALUES ($1, $2, $3, $4, $5, $6, decode($7, 'hex'), $8) RETURNING " COLUMNS
	};
	const char *params[] = { call->tenant, client->id, client->client_id, client->name,
		db_array(call->arena, client->n_redirect_uris, client->redirect_uris),
		db_array(call->arena, client->n_scopes, client->scopes), digest,
		client->approval ? "true" : "false" };
	err_t err =
		db_one(call, &statement, &reply->base, "OAuth client", ARRAY_LEN(params), params);

	if (err != ERR_ALREADY_EXISTS)
		return err;
	return call_refuse(
		call, err, "client_id", "there is a client %s already", client->client_id);
}

err_t store_client_get(struct call *call, const char *id, Auth__OauthClient *reply)
{
	static const struct db_statement statement = {
		"SELECT " COLUMNS " FROM auth.oauth_client WHERE tenant_id = $1 AND id = $2"
	};
	const char *params[] = { call->tenant, id };

	return db_one(call, &statement, &reply->base, "OAuth client", ARRAY_LEN(params), params);
}

err_t store_client_list(
	struct call *call, const Auth__ListRequest *request, Auth__OauthClientList *reply)
{
	static const struct db_statement statement = {
		"SELECT " COLUMNS " FROM auth.oauth_client"
		" WHERE tenant_id = $1 AND id > $2 AND ($3 = '' OR name = $3)"
		" ORDER BY id LIMIT $4"
	};
	const char *params[] = { call->tenant, store_cursor(request), request->name,
		store_limit(call, request) };

	return db_page(call, &statement, &reply->base, request->limit, ARRAY_LEN(params), params);
}

err_t store_client_delete(struct call *call, const char *id)
{
	static const struct db_statement statement = {
		"DELETE FROM auth.oauth_client WHERE tenant_id = $1 AND id = $2"
	};

	return DB_QUERY(call, &statement, NULL, call->tenant, id);
}

err_t store_client_find(
	struct call *call, const char *client_id, Auth__OauthClient *client, const char **digest)
{
	static const struct db_statement statement = {
		"SELECT " COLUMNS ", encode(digest, 'hex') AS digest"
		" FROM auth.oauth_client WHERE tenant_id = $1 AND client_id = $2"
	};
	AUTO_ROWS rows = NULL;
	err_t err = DB_QUERY(call, &statement, &rows, call->tenant, client_id);

	if (err != OK)
		return err;
	if (db_count(rows) == 0)
		return ERR_NOT_FOUND;
	db_message(rows, 0, call->arena, &client->base);
	*digest = arena_strdup(call->arena, db_text(rows, 0, "digest"));
	return OK;
}
