/* store_second_factor: see second_factor_store.h. Runs in the thread of the call. */
#include "services/auth/second_factor/second_factor_store.h"

#include "lib/mem.h"

#define WINDOW	    "interval '5 minutes'"
#define ATTEMPTS    "60" /* in it */
#define OF_THE_USER " WHERE tenant_id = $1 AND user_id = $2"

err_t store_totp_lock(struct call *call, const char *user, struct db_rows **rows)
{
	static const struct db_statement statement = {
		"SELECT t.sealed, coalesce(t.last_step, 0) AS last_step FROM auth.\"user\" u"
		" LEFT JOIN auth.totp t ON t.tenant_id = u.tenant_id AND t.user_id = u.id"
		" WHERE u.tenant_id = $1 AND u.id = $2 FOR NO KEY UPDATE OF u"
	};

	return DB_QUERY(call, &statement, rows, call->tenant, user);
}

err_t store_second_factor_get(struct call *call, const char *user, Auth__SecondFactor *reply)
{
	static const struct db_statement statement = {
		"SELECT u.id AS user, fabric.rfc3339(t.created_at) AS enrolled_at,"
		" CASE WHEN t.user_id IS NULL THEN '{}'::text[] ELSE '{totp}' END AS methods,"
		" (SELECT count(*) FROM auth.recovery_code" OF_THE_USER
		" AND used_at IS NULL) AS recovery_codes FROM auth.\"user\" u"
		" LEFT JOIN auth.totp t ON t.tenant_id = u.tenant_id AND t.user_id = u.id"
		" WHERE u.tenant_id = $1 AND u.id = $2"
	};
	const char *params[] = { call->tenant, user };

	return db_one(call, &statement, &reply->base, "user", ARRAY_LEN(params), params);
}

err_t store_totp_create(struct call *call, const char *user, const char *sealed, long long step)
{
	static const struct db_statement statement = {
		"INSERT INTO auth.totp (tenant_id, user_id, sealed, last_step)"
		" VALUES ($1, $2, $3, $4)"
	};

	return DB_QUERY(call, &statement, NULL, call->tenant, user, sealed,
		arena_printf(call->arena, "%lld", step));
}

err_t store_totp_step(struct call *call, const char *user, long long step)
{
	static const struct db_statement statement = {
		"UPDATE auth.totp SET last_step = $3" OF_THE_USER
	};

	return DB_QUERY(call, &statement, NULL, call->tenant, user,
		arena_printf(call->arena, "%lld", step));
}

err_t store_second_factor_delete(struct call *call, const char *user)
{
	static const struct db_statement statement = {
		"WITH codes AS (DELETE FROM auth.recovery_code" OF_THE_USER ")"
		" DELETE FROM auth.totp" OF_THE_USER
	};

	return DB_QUERY(call, &statement, NULL, call->tenant, user);
}

err_t store_code_attempt(
	struct call *call, const char *user, const char *digest, struct db_rows **rows)
{
	static const struct db_statement statement = {
		"WITH tried AS (SELECT count(*) >= " ATTEMPTS " AS too_many,"
		" coalesce(bool_or(digest = decode($3, 'hex')), false) AS again"
		" FROM auth.code_attempt" OF_THE_USER " AND created_at > now() - " WINDOW "),"
		" noted AS (INSERT INTO auth.code_attempt (tenant_id, user_id, digest)"
		" SELECT $1, $2, decode($3, 'hex') FROM tried WHERE NOT too_many AND NOT again"
		" ON CONFLICT (tenant_id, user_id, digest) DO UPDATE SET created_at = now())"
		" SELECT too_many, again FROM tried"
	};

	return DB_QUERY(call, &statement, rows, call->tenant, user, digest);
}

err_t store_code_attempt_purge(struct call *call)
{
	static const struct db_statement statement = {
		"DELETE FROM auth.code_attempt WHERE created_at < now() - " WINDOW
	};

	return db_query(call, &statement, NULL, 0, NULL);
}

err_t store_recovery_codes_set(struct call *call, const char *user, size_t n, char *const digests[])
{
	static const struct db_statement forget = { "DELETE FROM auth.recovery_code" OF_THE_USER };
	static const struct db_statement statement = {
		"INSERT INTO auth.recovery_code (tenant_id, user_id, digest)"
		" SELECT $1, $2, decode(digest, 'hex') FROM unnest($3::text[]) AS digest"
	};
	err_t err = DB_QUERY(call, &forget, NULL, call->tenant, user);

	return err == OK ? DB_QUERY(call, &statement, NULL, call->tenant, user,
				   db_array(call->arena, n, digests))
			 : err;
}

err_t store_recovery_code_use(struct call *call, const char *user, const char *digest, bool *used)
{
	static const struct db_statement statement = {
		"UPDATE auth.recovery_code SET used_at = now()" OF_THE_USER
		" AND digest = decode($3, 'hex') AND used_at IS NULL RETURNING 1 AS used"
	};
	AUTO_ROWS rows = NULL;
	err_t err = DB_QUERY(call, &statement, &rows, call->tenant, user, digest);

	if (err == OK)
		*used = db_count(rows) > 0;
	return err;
}
