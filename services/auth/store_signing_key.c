/*
 * store_signing_key: the SQL of the keys that sign tokens; see store.h. All times are the
 * database's, so that several instances agree. Runs in the thread of the call.
 */
#include "services/auth/store.h"

err_t store_signing_key_lock(struct call *call)
{
	static const struct db_statement statement = {
		"SELECT pg_advisory_xact_lock(hashtext('auth.signing_key'))"
	};

	return db_query(call, &statement, NULL, 0, NULL);
}

err_t store_signing_key_due(struct call *call, long hours, int ahead_s, bool *none, bool *due)
{
	static const struct db_statement statement = {
		"SELECT count(*) = 0 AS none, coalesce(max(active_from) + make_interval("
		"hours => $1, secs => -$2::integer) <= statement_timestamp(), true) AS due"
		" FROM auth.signing_key"
	};
	AUTO_ROWS rows = NULL;
	err_t err = DB_QUERY(
		call, &statement, &rows, store_number(call, hours), store_number(call, ahead_s));

	if (err != OK)
		return err;
	*none = db_bool(rows, 0, "none");
	*due = db_bool(rows, 0, "due");
	return OK;
}

err_t store_signing_key_add(struct call *call, const char *id, const char *sealed_hex,
	const char *public_jwk, int ahead_s)
{
	static const struct db_statement statement = {
		"WITH start (at) AS"
		" (VALUES (statement_timestamp() + make_interval(secs => $4::integer))),"
		" retired AS (UPDATE auth.signing_key"
		" SET retired_at = least(coalesce(retired_at, 'infinity'), start.at) FROM start)"
		" INSERT INTO auth.signing_key (id, sealed, public_jwk, active_from)"
		" SELECT $1, decode($2, 'hex'), $3, start.at FROM start"
	};

	return DB_QUERY(
		call, &statement, NULL, id, sealed_hex, public_jwk, store_number(call, ahead_s));
}

err_t store_signing_key_current(struct call *call, struct db_rows **rows)
{
	static const struct db_statement statement = {
		"SELECT encode(sealed, 'hex') AS sealed, fabric.uuid7() AS token,"
		" floor(extract(epoch FROM statement_timestamp()))::bigint AS now"
		" FROM auth.signing_key WHERE active_from <= statement_timestamp()"
		" AND (retired_at IS NULL OR retired_at > statement_timestamp())"
		" ORDER BY active_from DESC LIMIT 1"
	};

	return db_query(call, &statement, rows, 0, NULL);
}

err_t store_signing_key_purge(struct call *call, int after_s, struct db_rows **rows)
{
	static const struct db_statement statement = {
		"DELETE FROM auth.signing_key"
		" WHERE retired_at < now() - make_interval(secs => $1::integer) RETURNING id"
	};

	return DB_QUERY(call, &statement, rows, store_number(call, after_s));
}

err_t store_signing_key_set(struct call *call, Auth__KeySet *reply)
{
	static const struct db_statement statement = {
		"SELECT '{\"keys\":[' || string_agg(public_jwk, ',' ORDER BY active_from) || ']}'"
		" AS jwks FROM auth.signing_key"
	};

	return db_one(call, &statement, &reply->base, "keys", 0, NULL);
}
