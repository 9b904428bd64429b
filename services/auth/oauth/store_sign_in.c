/*
 * store_sign_in: the SQL of people's sign-ins, and of forgetting what is over; see oauth_store.h.
 * Runs in the thread of the call.
 */
#include "services/auth/oauth/oauth_store.h"

#include "lib/mem.h"
#include "services/auth/oauth/own_list.h"
#include "services/auth/store.h"

#define COLUMNS                                                                                    \
	"s.id, s.user_id, u.name AS user, u.state, u.role, s.address, s.agent,"                    \
	" fabric.rfc3339(s.created_at) AS created_at, fabric.rfc3339(s.seen_at) AS seen_at,"       \
	" fabric.rfc3339(s.expires_at) AS expires_at, CASE WHEN s.confirmed THEN ''"               \
	" ELSE auth.sign_in_needs(s.tenant_id, s.user_id) END AS needs"

err_t store_person(struct call *call, const char *name, struct db_rows **rows)
{
	static const struct db_statement statement = {
		"SELECT id, password, state, role FROM auth.\"user\""
		" WHERE tenant_id = $1 AND name = $2"
	};

	return DB_QUERY(call, &statement, rows, call->tenant, name);
}

err_t store_sign_in_create(struct call *call, const char *id, const char *user, const char *digest,
	const char *address, const char *agent, long life_s, Auth__SignIn *reply)
{
	static const struct db_statement statement = {
		"WITH s AS (INSERT INTO auth.sign_in"
		" (tenant_id, id, user_id, digest, address, agent, expires_at)"
		" VALUES ($1, $2, $3, decode($4, 'hex'), $5, $6,"
		" now() + make_interval(secs => $7::integer)) RETURNING *)"
		" SELECT " COLUMNS " FROM s JOIN auth.\"user\" u"
		" ON u.tenant_id = s.tenant_id AND u.id = s.user_id"
	};
	const char *params[] = { call->tenant, id, user, digest, address, agent,
		store_number(call, life_s) };

	return db_one(call, &statement, &reply->base, "sign-in", ARRAY_LEN(params), params);
}

err_t store_sign_in_find(struct call *call, const char *id, struct db_rows **rows)
{
	static const struct db_statement statement = {
		"WITH seen AS (UPDATE auth.sign_in SET seen_at = now() WHERE tenant_id = $1"
		" AND id = $2 AND seen_at < now() - interval '1 minute')"
		" SELECT " COLUMNS ", encode(s.digest, 'hex') AS digest FROM auth.sign_in s"
		" JOIN auth.\"user\" u ON u.tenant_id = s.tenant_id AND u.id = s.user_id"
		" WHERE s.tenant_id = $1 AND s.id = $2 AND s.expires_at > now()"
	};

	return DB_QUERY(call, &statement, rows, call->tenant, id);
}

#define PAGE(compare, direction)                                                                   \
	"SELECT " COLUMNS " FROM auth.sign_in s"                                                   \
	" JOIN auth.\"user\" u ON u.tenant_id = s.tenant_id AND u.id = s.user_id"                  \
	" WHERE s.tenant_id = $1 AND s.id " compare " $2"                                          \
	" AND ($3::text IS NULL OR s.user_id = $3::uuid) AND s.expires_at > now()"                 \
	" ORDER BY s.id " direction " LIMIT $4"

err_t store_sign_in_list(
	struct call *call, const Auth__OwnListRequest *request, Auth__SignInList *reply)
{
	static const struct own_list list = OWN_LIST(PAGE);

	return own_list_page(call, &list, request, &reply->base);
}

err_t store_sign_in_confirm(struct call *call, const char *id)
{
	static const struct db_statement statement = {
		"UPDATE auth.sign_in SET confirmed = true WHERE tenant_id = $1 AND id = $2"
	};

	return DB_QUERY(call, &statement, NULL, call->tenant, id);
}

err_t store_sign_in_delete(struct call *call, const char *id, const char *user, bool *there)
{
	static const struct db_statement statement = {
		"DELETE FROM auth.sign_in WHERE tenant_id = $1 AND id = $2"
		" AND ($3 = '' OR user_id::text = $3) RETURNING 1 AS one"
	};
	AUTO_ROWS rows = NULL;
	err_t err = DB_QUERY(call, &statement, &rows, call->tenant, id, user);

	if (err == OK)
		*there = db_count(rows) > 0;
	return err;
}

err_t store_sign_in_delete_others(struct call *call, const char *user, const char *id)
{
	static const struct db_statement statement = {
		"DELETE FROM auth.sign_in WHERE tenant_id = $1 AND user_id = $2"
		" AND ($3::text IS NULL OR id <> $3::uuid)"
	};

	return DB_QUERY(call, &statement, NULL, call->tenant, user, id);
}

/* A code is kept for longer than it is good for, and so is a used refresh token: until then they
 * are known to have been used. */
err_t store_oauth_purge(struct call *call)
{
	static const struct db_statement statement = {
		"WITH c AS (DELETE FROM auth.oauth_code WHERE created_at < now() - interval '1 "
		"day'),"
		" d AS (DELETE FROM auth.oauth_device_code"
		" WHERE expires_at < now() - interval '1 day'),"
		" s AS (DELETE FROM auth.sign_in WHERE expires_at < now())"
		" DELETE FROM auth.oauth_authorization WHERE expires_at < now() - interval '1 day'"
	};

	return db_query(call, &statement, NULL, 0, NULL);
}
