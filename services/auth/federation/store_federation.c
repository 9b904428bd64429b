/* store_federation: see federation_store.h. Runs in the thread of the call. */
#include "services/auth/federation/federation_store.h"

#include "lib/mem.h"
#include "services/auth/federation/federation.h"
#include "services/auth/store.h"

#define UNSEEN "interval '32 days'"

/* ---- trusted sites ---- */

static err_t read_instances(struct call *call, Auth__Federation *reply)
{
	static const struct db_statement statement = {
		"SELECT host, base_uri, public_key FROM auth.trusted_instance"
		" WHERE tenant_id = $1 ORDER BY host"
	};
	AUTO_ROWS rows = NULL;
	err_t err = DB_QUERY(call, &statement, &rows, call->tenant);

	if (err != OK)
		return err;
	reply->instances =
		arena_alloc(call->arena, (db_count(rows) + 1) * sizeof(*reply->instances));
	for (size_t i = 0; i < db_count(rows); i++) {
		reply->instances[i] = arena_alloc(call->arena, sizeof(**reply->instances));
		auth__trusted_instance__init(reply->instances[i]);
		db_message(rows, i, call->arena, &reply->instances[i]->base);
	}
	reply->n_instances = db_count(rows);
	return OK;
}

err_t store_federation_get(struct call *call, Auth__Federation *reply)
{
	static const struct db_statement statement = {
		"SELECT coalesce(f.public_key, '') AS public_key, coalesce(f.seq, 0) AS seq,"
		" fabric.rfc3339(f.updated_at) AS updated_at, coalesce(f.version, 0) AS version"
		" FROM (VALUES ($1::uuid)) AS v (tenant_id)"
		" LEFT JOIN auth.federation f USING (tenant_id)"
	};
	const char *params[] = { call->tenant };
	err_t err = db_one(call, &statement, &reply->base, "federation", ARRAY_LEN(params), params);

	return err == OK ? read_instances(call, reply) : err;
}

/* The parts of the instances as the columns of a table. */
static err_t write_instances(struct call *call, const Auth__Federation *federation)
{
	static const struct db_statement forget = {
		"DELETE FROM auth.trusted_instance WHERE tenant_id = $1"
	};
	static const struct db_statement add = {
		"INSERT INTO auth.trusted_instance (tenant_id, host, base_uri, public_key)"
		" SELECT $1, * FROM unnest($2::text[], $3::text[], $4::text[])"
	};
	size_t n = federation->n_instances;
	char **columns[3];
	err_t err;

	for (size_t i = 0; i < ARRAY_LEN(columns); i++)
		columns[i] = arena_alloc(call->arena, (n + 1) * sizeof(*columns[i]));
	for (size_t i = 0; i < n; i++) {
		columns[0][i] = federation->instances[i]->host;
		columns[1][i] = federation->instances[i]->base_uri;
		columns[2][i] = federation->instances[i]->public_key;
	}
	if ((err = DB_QUERY(call, &forget, NULL, call->tenant)) != OK)
		return err;
	return DB_QUERY(call, &add, NULL, call->tenant, db_array(call->arena, n, columns[0]),
		db_array(call->arena, n, columns[1]), db_array(call->arena, n, columns[2]));
}

err_t store_federation_set(struct call *call, const Auth__Federation *federation)
{
	static const struct db_statement statement = {
		"INSERT INTO auth.federation AS f (tenant_id, public_key, seq) VALUES ($1, $2, $3)"
		" ON CONFLICT (tenant_id) DO UPDATE SET public_key = excluded.public_key,"
		" seq = excluded.seq, updated_at = now(), version = f.version + 1"
	};
	err_t err = DB_QUERY(call, &statement, NULL, call->tenant, federation->public_key,
		store_number(call, federation->seq));

	return err == OK ? write_instances(call, federation) : err;
}

err_t store_federation_delete(struct call *call)
{
	static const struct db_statement statement = {
		"DELETE FROM auth.federation WHERE tenant_id = $1"
	};

	return DB_QUERY(call, &statement, NULL, call->tenant);
}

/* ---- guests ---- */

err_t store_guest_find(
	struct call *call, const char *host, const char *subject, struct db_rows **rows)
{
	static const struct db_statement find = {
		"SELECT u.id AS user_id, u.name AS user, u.role, u.state,"
		" g.seen_at < now() - interval '1 hour' AS old FROM auth.guest g"
		" JOIN auth.\"user\" u ON u.tenant_id = g.tenant_id AND u.id = g.user_id"
		" WHERE g.tenant_id = $1 AND g.host = $2 AND g.subject = $3"
	};
	static const struct db_statement seen = {
		"UPDATE auth.guest SET seen_at = now()"
		" WHERE tenant_id = $1 AND host = $2 AND subject = $3"
	};
	err_t err = DB_QUERY(call, &find, rows, call->tenant, host, subject);

	if (err != OK || db_count(*rows) == 0 || !db_bool(*rows, 0, "old"))
		return err;
	return DB_QUERY(call, &seen, NULL, call->tenant, host, subject);
}

err_t store_guest_create(struct call *call, const char *host, const char *subject, const char *user)
{
	static const struct db_statement statement = {
		"INSERT INTO auth.guest (tenant_id, host, subject, user_id) VALUES ($1, $2, $3, $4)"
	};

	return DB_QUERY(call, &statement, NULL, call->tenant, host, subject, user);
}

err_t store_guest_count(struct call *call, long long *n)
{
	static const struct db_statement statement = {
		"SELECT count(*) AS n FROM auth.guest WHERE tenant_id = $1"
	};
	AUTO_ROWS rows = NULL;
	err_t err = DB_QUERY(call, &statement, &rows, call->tenant);

	if (err == OK)
		*n = db_int(rows, 0, "n");
	return err;
}

/* Whoever was given another role is a user like any other, and does not end as a guest; who is
 * blocked stays, so as not to come again as somebody new. */
#define END(which)                                                                                 \
	"DELETE FROM auth.\"user\" u USING auth.guest g"                                           \
	" WHERE u.tenant_id = g.tenant_id AND u.id = g.user_id AND u.role = '" GUEST_ROLE          \
	"' AND u.state = 'active' AND " which " RETURNING u.tenant_id AS tenant, u.id AS user"

err_t store_guest_end_strangers(struct call *call, struct db_rows **rows)
{
	static const struct db_statement statement = { END(
		"g.tenant_id = $1 AND NOT EXISTS (SELECT FROM auth.trusted_instance t"
		" WHERE t.tenant_id = g.tenant_id AND t.host = g.host)") };

	return DB_QUERY(call, &statement, rows, call->tenant);
}

err_t store_guest_purge(struct call *call, struct db_rows **rows)
{
	static const struct db_statement statement = { END("g.seen_at < now() - " UNSEEN) };

	return db_query(call, &statement, rows, 0, NULL);
}
