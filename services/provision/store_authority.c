/* store_authority: the SQL of authorities; see store_pki.h. Runs in the thread of the call. */
#include "services/provision/store_pki.h"

#include <inttypes.h>

#define BATCH "100"

static const char *number(struct call *call, int64_t n)
{
	return arena_printf(call->arena, "%" PRId64, n);
}

err_t store_authority_lock(struct call *call)
{
	static const struct db_statement statement = {
		"SELECT pg_advisory_xact_lock(hashtext('provision.authority'), hashtext($1))"
	};

	return DB_QUERY(call, &statement, NULL, call->tenant);
}

err_t store_authority_new_id(struct call *call, const char **id)
{
	static const struct db_statement statement = { "SELECT fabric.uuid7() AS id" };
	AUTO_ROWS rows = NULL;
	err_t err = db_query(call, &statement, &rows, 0, NULL);

	if (err == OK)
		*id = arena_strdup(call->arena, db_text(rows, 0, "id"));
	return err;
}

err_t store_authority_add(struct call *call, const struct store_authority *authority)
{
	static const struct db_statement statement = {
		"INSERT INTO provision.authority (tenant_id, id, kind, state, root_id, certificate,"
		" fingerprint, sealed_key, not_before, not_after)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, to_timestamp($9::bigint),"
		" to_timestamp($10::bigint))"
	};

	return DB_QUERY(call, &statement, NULL, call->tenant, authority->id, authority->kind,
		authority->state, authority->root, authority->certificate->pem,
		authority->certificate->fingerprint, authority->sealed_key,
		number(call, authority->not_before_s), number(call, authority->not_after_s));
}

#define COLUMNS                                                                                    \
	"id, kind, state, root_id AS root, certificate, fingerprint,"                              \
	" fabric.rfc3339(not_before) AS not_before, fabric.rfc3339(not_after) AS not_after,"       \
	" sealed_key IS NOT NULL AS key_here, fabric.rfc3339(created_at) AS created_at, version"

err_t store_authority_get(struct call *call, const char *id, Provision__Authority *reply)
{
	static const struct db_statement statement = {
		"SELECT " COLUMNS " FROM provision.authority WHERE tenant_id = $1 AND id = $2"
	};
	const char *params[] = { call->tenant, id };

	return db_one(call, &statement, &reply->base, "authority", ARRAY_LEN(params), params);
}

err_t store_authority_list(struct call *call, struct db_rows **rows)
{
	static const struct db_statement statement = {
		"SELECT " COLUMNS ", crl, fabric.rfc3339(crl_next_update) AS crl_next_update"
		" FROM provision.authority WHERE tenant_id = $1 AND state <> 'retired'"
		" ORDER BY kind DESC, id"
	};

	return DB_QUERY(call, &statement, rows, call->tenant);
}

err_t store_authority_trust(struct call *call, const char **trust)
{
	static const struct db_statement statement = {
		"SELECT string_agg(certificate, '' ORDER BY kind DESC, id) AS trust"
		" FROM provision.authority WHERE tenant_id = $1 AND state <> 'retired'"
	};
	AUTO_ROWS rows = NULL;
	err_t err = DB_QUERY(call, &statement, &rows, call->tenant);

	if (err == OK)
		*trust = arena_strdup(call->arena, db_text(rows, 0, "trust"));
	return err;
}

err_t store_authority_find(
	struct call *call, const char *kind, const char *state, struct db_rows **rows)
{
	static const struct db_statement statement = {
		"SELECT id, certificate, sealed_key,"
		" floor(extract(epoch FROM not_after))::bigint AS not_after_s"
		" FROM provision.authority WHERE tenant_id = $1 AND kind = $2 AND state = $3"
	};

	return DB_QUERY(call, &statement, rows, call->tenant, kind, state);
}

#define SET_STATE                                                                                  \
	"UPDATE provision.authority SET state = $3, version = version + 1,"                        \
	" sealed_key = CASE WHEN $3 = 'retired' THEN NULL ELSE sealed_key END"                     \
	" WHERE tenant_id = $1 AND state <> 'retired' AND "

err_t store_authority_set_state(struct call *call, const char *id, const char *state)
{
	static const struct db_statement statement = { SET_STATE "id = $2" };

	return DB_QUERY(call, &statement, NULL, call->tenant, id, state);
}

/* What is retiring already does not come back. */
err_t store_authority_set_state_under(struct call *call, const char *root, const char *state)
{
	static const struct db_statement statement = { SET_STATE
		"root_id = $2 AND (state <> 'retiring' OR $3 = 'retired')" };

	return DB_QUERY(call, &statement, NULL, call->tenant, root, state);
}

err_t store_authority_take_key(struct call *call, const char *id, const char **sealed)
{
	static const struct db_statement statement = {
		"WITH old AS (SELECT sealed_key FROM provision.authority"
		" WHERE tenant_id = $1 AND id = $2 AND sealed_key IS NOT NULL FOR UPDATE)"
		" UPDATE provision.authority SET sealed_key = NULL, version = version + 1 FROM old"
		" WHERE tenant_id = $1 AND id = $2 RETURNING old.sealed_key"
	};
	AUTO_ROWS rows = NULL;
	err_t err = DB_QUERY(call, &statement, &rows, call->tenant, id);

	if (err != OK)
		return err;
	if (db_count(rows) == 0)
		return call_refuse(call, ERR_FAILED_PRECONDITION, "id",
			"the key of this root was taken offline before");
	*sealed = arena_strdup(call->arena, db_text(rows, 0, "sealed_key"));
	return OK;
}

err_t store_authority_ageing(struct call *call, struct db_rows **rows)
{
	static const struct db_statement statement = {
		"SELECT i.tenant_id AS tenant FROM provision.authority i JOIN provision.authority r"
		" ON r.tenant_id = i.tenant_id AND r.id = i.root_id"
		" WHERE i.kind = 'issuing' AND i.state = 'active' AND r.sealed_key IS NOT NULL"
		" AND now() > i.not_before + (i.not_after - i.not_before) / 2"
		" AND r.not_after > i.not_after LIMIT " BATCH
	};

	return db_query(call, &statement, rows, 0, NULL);
}

err_t store_authority_left(struct call *call, struct db_rows **rows)
{
	static const struct db_statement statement = {
		"SELECT (extract(epoch FROM min(not_after) FILTER (WHERE kind = 'root') - now())"
		" / 86400)::bigint AS roots,"
		" (extract(epoch FROM min(not_after) FILTER (WHERE kind = 'issuing') - now())"
		" / 86400)::bigint AS issuing,"
		" (extract(epoch FROM min(crl_next_update) - now()) / 86400)::bigint AS crls,"
		" count(*) AS n FROM provision.authority WHERE state IN ('next', 'active')"
	};

	return db_query(call, &statement, rows, 0, NULL);
}
