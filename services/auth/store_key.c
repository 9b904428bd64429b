/* store_key: the SQL of API keys and enrolment keys; see store.h. Runs in the thread of the call.
 */
#include "services/auth/store.h"

#include "lib/mem.h"

#define TIMES  "fabric.rfc3339(expires_at) AS expires_at, fabric.rfc3339(created_at) AS created_at"
#define EXPIRY "CASE WHEN $6::bigint > 0 THEN now() + make_interval(secs => $6::bigint) END"

/* ---- API keys ---- */

#define API_KEY_COLUMNS                                                                            \
	"id, name, role, scopes, " TIMES ", fabric.rfc3339(last_used_at) AS last_used_at, version"

err_t store_api_key_create(struct call *call, const Auth__ApiKey *key, unsigned expires_in_s,
	const char *digest, Auth__ApiKey *reply)
{
	static const struct db_statement statement = {
		"INSERT INTO auth.api_key (tenant_id, id, name, role, scopes, expires_at, digest)"
		" VALUES ($1, $2, $3, $4, $5, " EXPIRY ", decode($7, 'hex'))"
		" RETURNING " API_KEY_COLUMNS
	};
	const char *params[] = { call->tenant, key->id, key->name, key->role,
		db_array(call->arena, key->n_scopes, key->scopes), store_number(call, expires_in_s),
		digest };
	err_t err = db_one(call, &statement, &reply->base, "API key", ARRAY_LEN(params), params);

	return store_name_taken(call, err, "an API key", key->name);
}

err_t store_api_key_get(struct call *call, const char *id, Auth__ApiKey *reply)
{
	static const struct db_statement statement = {
		"SELECT " API_KEY_COLUMNS " FROM auth.api_key WHERE tenant_id = $1 AND id = $2"
	};
	const char *params[] = { call->tenant, id };

	return db_one(call, &statement, &reply->base, "API key", ARRAY_LEN(params), params);
}

err_t store_api_key_list(
	struct call *call, const Auth__ListRequest *request, Auth__ApiKeyList *reply)
{
	static const struct db_statement statement = {
		"SELECT " API_KEY_COLUMNS " FROM auth.api_key"
		" WHERE tenant_id = $1 AND id > $2 AND ($3 = '' OR name = $3)"
		" ORDER BY id LIMIT $4"
	};
	const char *params[] = { call->tenant, store_cursor(request), request->name,
		store_limit(call, request) };

	return db_page(call, &statement, &reply->base, request->limit, ARRAY_LEN(params), params);
}

err_t store_api_key_delete(struct call *call, const char *id)
{
	static const struct db_statement statement = {
		"DELETE FROM auth.api_key WHERE tenant_id = $1 AND id = $2"
	};

	return DB_QUERY(call, &statement, NULL, call->tenant, id);
}

/* ---- enrolment keys ---- */

#define ENROLMENT_KEY_COLUMNS                                                                      \
	"id, name, network, tags, max_uses, uses, approve, state, " TIMES ", version"

err_t store_enrolment_key_create(struct call *call, const Auth__EnrolmentKey *key,
	unsigned expires_in_s, const char *digest, Auth__EnrolmentKey *reply)
{
	static const struct db_statement statement = {
		"INSERT INTO auth.enrolment_key"
		" (tenant_id, id, name, network, tags, expires_at, max_uses, approve, digest)"
		" VALUES ($1, $2, $3, nullif($4, '')::uuid, $5, " EXPIRY
		", $7, $8, decode($9, 'hex'))"
		" RETURNING " ENROLMENT_KEY_COLUMNS
	};
	const char *params[] = { call->tenant, key->id, key->name, key->network,
		db_array(call->arena, key->n_tags, key->tags), store_number(call, expires_in_s),
		store_number(call, key->max_uses), key->approve ? "true" : "false", digest };
	err_t err =
		db_one(call, &statement, &reply->base, "enrolment key", ARRAY_LEN(params), params);

	return store_name_taken(call, err, "an enrolment key", key->name);
}

err_t store_enrolment_key_get(struct call *call, const char *id, Auth__EnrolmentKey *reply)
{
	static const struct db_statement statement = {
		"SELECT " ENROLMENT_KEY_COLUMNS
		" FROM auth.enrolment_key WHERE tenant_id = $1 AND id = $2"
	};
	const char *params[] = { call->tenant, id };

	return db_one(call, &statement, &reply->base, "enrolment key", ARRAY_LEN(params), params);
}

err_t store_enrolment_key_list(
	struct call *call, const Auth__ListRequest *request, Auth__EnrolmentKeyList *reply)
{
	static const struct db_statement statement = {
		"SELECT " ENROLMENT_KEY_COLUMNS " FROM auth.enrolment_key"
		" WHERE tenant_id = $1 AND id > $2 AND ($3 = '' OR name = $3)"
		" ORDER BY id LIMIT $4"
	};
	const char *params[] = { call->tenant, store_cursor(request), request->name,
		store_limit(call, request) };

	return db_page(call, &statement, &reply->base, request->limit, ARRAY_LEN(params), params);
}

err_t store_enrolment_key_lock(struct call *call, const char *id, Auth__EnrolmentKey *reply)
{
	static const struct db_statement statement = {
		"SELECT " ENROLMENT_KEY_COLUMNS
		" FROM auth.enrolment_key WHERE tenant_id = $1 AND id = $2 FOR UPDATE"
	};
	const char *params[] = { call->tenant, id };

	return db_one(call, &statement, &reply->base, "enrolment key", ARRAY_LEN(params), params);
}

err_t store_enrolment_key_revoke(struct call *call, const char *id, Auth__EnrolmentKey *reply)
{
	static const struct db_statement statement = {
		"UPDATE auth.enrolment_key SET state = 'revoked', version = version + 1"
		" WHERE tenant_id = $1 AND id = $2 RETURNING " ENROLMENT_KEY_COLUMNS
	};
	const char *params[] = { call->tenant, id };

	return db_one(call, &statement, &reply->base, "enrolment key", ARRAY_LEN(params), params);
}
