/* store_attempt: see attempt_store.h. Runs in the thread of the call. */
#include "services/auth/attempt/attempt_store.h"

#define WINDOW	    "interval '15 minutes'"
#define FORGET	    "interval '90 days'"
#define OF_USER_MAX "20" /* browsers; the one that was not seen for longest goes */

err_t store_failures(struct call *call, const char *key, long long *failures, long long *wait_s)
{
	static const struct db_statement statement = {
		"SELECT failures, ceil(extract(epoch FROM since + " WINDOW
		" - now()))::bigint AS wait_s"
		" FROM auth.password_failure WHERE tenant_id = $1 AND key = decode($2, 'hex')"
		" AND since > now() - " WINDOW
	};
	AUTO_ROWS rows = NULL;
	err_t err = DB_QUERY(call, &statement, &rows, call->tenant, key);

	if (err != OK)
		return err;
	*failures = db_count(rows) > 0 ? db_int(rows, 0, "failures") : 0;
	*wait_s = db_count(rows) > 0 ? db_int(rows, 0, "wait_s") : 0;
	return OK;
}

err_t store_failure_add(struct call *call, const char *key)
{
	static const struct db_statement statement = {
		"INSERT INTO auth.password_failure AS f (tenant_id, key)"
		" VALUES ($1, decode($2, 'hex')) ON CONFLICT (tenant_id, key) DO UPDATE SET"
		" failures = CASE WHEN f.since > now() - " WINDOW " THEN f.failures + 1 ELSE 1 END,"
		" since = CASE WHEN f.since > now() - " WINDOW " THEN f.since ELSE now() END"
	};

	return DB_QUERY(call, &statement, NULL, call->tenant, key);
}

err_t store_failure_purge(struct call *call)
{
	static const struct db_statement statement = {
		"DELETE FROM auth.password_failure WHERE since < now() - " WINDOW
	};

	return db_query(call, &statement, NULL, 0, NULL);
}

err_t store_browser_find(struct call *call, const char *id, const char *user, struct db_rows **rows)
{
	static const struct db_statement statement = {
		"SELECT encode(digest, 'hex') AS digest FROM auth.known_browser"
		" WHERE tenant_id = $1 AND id = $2 AND user_id = $3"
	};

	return DB_QUERY(call, &statement, rows, call->tenant, id, user);
}

err_t store_browser_create(struct call *call, const char *id, const char *user, const char *digest,
	const char *address)
{
	static const struct db_statement forget = {
		"DELETE FROM auth.known_browser WHERE tenant_id = $1 AND user_id = $2 AND id IN"
		" (SELECT id FROM auth.known_browser WHERE tenant_id = $1 AND user_id = $2"
		" ORDER BY seen_at DESC OFFSET " OF_USER_MAX " - 1)"
	};
	static const struct db_statement statement = {
		"INSERT INTO auth.known_browser (tenant_id, id, user_id, digest, address)"
		" VALUES ($1, $2, $3, decode($4, 'hex'), $5)"
	};
	err_t err = DB_QUERY(call, &forget, NULL, call->tenant, user);

	return err == OK ? DB_QUERY(call, &statement, NULL, call->tenant, id, user, digest, address)
			 : err;
}

err_t store_browser_seen(struct call *call, const char *id, const char *address)
{
	static const struct db_statement statement = {
		"UPDATE auth.known_browser SET seen_at = now(), address = $3"
		" WHERE tenant_id = $1 AND id = $2"
	};

	return DB_QUERY(call, &statement, NULL, call->tenant, id, address);
}

static err_t is_known(struct call *call, const struct db_statement *statement, const char *user,
	const char *address, bool *known)
{
	AUTO_ROWS rows = NULL;
	err_t err = DB_QUERY(call, statement, &rows, call->tenant, user, address);

	if (err == OK)
		*known = db_count(rows) > 0;
	return err;
}

err_t store_address_seen(struct call *call, const char *user, const char *address, bool *known)
{
	static const struct db_statement statement = {
		"UPDATE auth.known_browser SET seen_at = now()"
		" WHERE tenant_id = $1 AND user_id = $2 AND address = $3 RETURNING id"
	};

	return is_known(call, &statement, user, address, known);
}

err_t store_address_known(struct call *call, const char *user, const char *address, bool *known)
{
	static const struct db_statement statement = {
		"SELECT id FROM auth.known_browser"
		" WHERE tenant_id = $1 AND user_id = $2 AND address = $3 LIMIT 1"
	};

	return is_known(call, &statement, user, address, known);
}

err_t store_browser_purge(struct call *call)
{
	static const struct db_statement statement = {
		"DELETE FROM auth.known_browser WHERE seen_at < now() - " FORGET
	};

	return db_query(call, &statement, NULL, 0, NULL);
}
