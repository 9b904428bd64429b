/* store_claim: see store_claim.h. Runs in the thread of the call. */
#include "services/provision/claim/store_claim.h"

#include "services/provision/store.h"

#define COLUMNS                                                                                    \
	"id, serial, name, network_id AS network, legacy, approve, code IS NOT NULL AS has_code,"  \
	" fabric.rfc3339(code_until) AS code_until,"                                               \
	" CASE WHEN claimed_at IS NULL THEN 'expected' ELSE 'claimed' END AS state,"               \
	" CASE WHEN claimed_at IS NOT NULL THEN device_id END AS device,"                          \
	" fabric.rfc3339(claimed_at) AS claimed_at, fabric.rfc3339(created_at) AS created_at,"     \
	" version"
#define SELECT "SELECT " COLUMNS " FROM provision.expected_device WHERE tenant_id = $1"

err_t store_expected_known(
	struct call *call, size_t n, char *const serials[], struct db_rows **rows)
{
	static const struct db_statement statement = {
		"SELECT serial FROM provision.expected_device WHERE tenant_id = $1"
		" AND serial = ANY ($2::text[]) UNION SELECT serial FROM provision.portal_device"
		" WHERE tenant_id = $1 AND serial = ANY ($2::text[])"
	};

	return DB_QUERY(call, &statement, rows, call->tenant, db_array(call->arena, n, serials));
}

/* One column of the rows as an array. */
#define COLUMN(call, n, expression)                                                                \
	({                                                                                         \
		char **column_texts = arena_alloc((call)->arena, ((n) + 1) * sizeof(char *));      \
		for (size_t i = 0; i < (n); i++)                                                   \
			column_texts[i] = (char *)(uintptr_t)(expression);                         \
		db_array((call)->arena, n, column_texts);                                          \
	})

err_t store_expected_add(
	struct call *call, size_t n, const struct csv_row *const rows[], const char *const codes[])
{
	static const struct db_statement statement = {
		"INSERT INTO provision.expected_device (tenant_id, serial, name, network_id,"
		" legacy, approve, code) SELECT $1, serial, name, nullif(network, '')::uuid,"
		" legacy, approve, nullif(code, '') FROM unnest($2::text[], $3::text[],"
		" $4::text[], $5::boolean[], $6::boolean[], $7::text[])"
		" AS row (serial, name, network, legacy, approve, code)"
	};

	return DB_QUERY(call, &statement, NULL, call->tenant, COLUMN(call, n, rows[i]->serial),
		COLUMN(call, n, rows[i]->name), COLUMN(call, n, rows[i]->network),
		COLUMN(call, n, store_bool(rows[i]->legacy)),
		COLUMN(call, n, store_bool(rows[i]->approve)), COLUMN(call, n, codes[i]));
}

err_t store_expected_get(struct call *call, const char *id, Provision__ExpectedDevice *reply)
{
	static const struct db_statement statement = { SELECT " AND id = $2" };
	const char *params[] = { call->tenant, id };

	return db_one(call, &statement, &reply->base, "expected device", ARRAY_LEN(params), params);
}

err_t store_expected_lock(struct call *call, const char *id, Provision__ExpectedDevice *reply)
{
	static const struct db_statement statement = { SELECT " AND id = $2 FOR UPDATE" };
	const char *params[] = { call->tenant, id };

	return db_one(call, &statement, &reply->base, "expected device", ARRAY_LEN(params), params);
}

static const struct db_statement pages[] = {
	{ SELECT " AND id > $2 ORDER BY id LIMIT $3" },
	{ SELECT " AND id > $2 AND serial = $4 ORDER BY id LIMIT $3" },
};

err_t store_expected_list(struct call *call, const Provision__ListExpectedDevicesRequest *request,
	Provision__ExpectedDeviceList *reply)
{
	const char *params[] = { call->tenant, store_cursor(request->cursor),
		store_limit(call, request->limit), store_filter(request->serial) };

	return store_page(call, pages, &reply->base, request->limit, ARRAY_LEN(params), params);
}

err_t store_expected_delete(struct call *call, const char *id)
{
	static const struct db_statement statement = {
		"DELETE FROM provision.expected_device WHERE tenant_id = $1 AND id = $2"
	};

	return DB_QUERY(call, &statement, NULL, call->tenant, id);
}

err_t store_expected_code(struct call *call, const char *id, const char *code, int seconds)
{
	static const struct db_statement statement = {
		"UPDATE provision.expected_device SET code = $3, version = version + 1,"
		" code_until = CASE WHEN $4::integer > 0"
		" THEN now() + make_interval(secs => $4::integer) END"
		" WHERE tenant_id = $1 AND id = $2"
	};

	return DB_QUERY(call, &statement, NULL, call->tenant, id, code,
		store_number(call, (unsigned)seconds));
}

err_t store_expected_transfer(struct call *call, const char *device, const char **id)
{
	static const struct db_statement statement = {
		"INSERT INTO provision.expected_device AS e (tenant_id, serial, name, legacy,"
		" approve, device_id) SELECT s.tenant_id, serial, d.name, legacy, true, device_id"
		" FROM provision.portal_device s JOIN provision.device d"
		" ON d.tenant_id = s.tenant_id AND d.id = s.device_id"
		" WHERE s.tenant_id = $1 AND device_id = $2 ON CONFLICT (tenant_id, serial)"
		" DO UPDATE SET device_id = excluded.device_id, claimed_at = NULL,"
		" claimed_by = NULL, version = e.version + 1 RETURNING id"
	};
	AUTO_ROWS rows = NULL;
	err_t err = DB_QUERY(call, &statement, &rows, call->tenant, device);

	if (err == OK)
		*id = arena_strdup(call->arena, db_text(rows, 0, "id"));
	return err;
}

/* ---- of any tenant ---- */

#define OFFER                                                                                      \
	"SELECT e.tenant_id AS tenant, id, name, network_id AS network, legacy, approve,"          \
	" device_id AS device"

err_t store_expected_claim(
	struct call *call, const char *serial, const char *code, struct db_rows **rows)
{
	static const struct db_statement statement = { OFFER
		" FROM provision.expected_device e WHERE serial = $1 AND code = $2"
		" AND claimed_at IS NULL AND coalesce(code_until > now(), true) FOR UPDATE" };

	return DB_QUERY(call, &statement, rows, serial, code);
}

err_t store_expected_legacy(
	struct call *call, const char *serial, const char *host, struct db_rows **rows)
{
	static const struct db_statement statement = { OFFER
		", coalesce(legacy_until > now(), false) AS legacy_open"
		" FROM provision.expected_device e JOIN provision.portal p"
		" ON p.tenant_id = e.tenant_id WHERE serial = $1 AND legacy"
		" AND claimed_at IS NULL AND device_id IS NULL"
		" AND coalesce(host = $2, true) ORDER BY host NULLS LAST LIMIT 2"
		" FOR UPDATE OF e" };

	return DB_QUERY(call, &statement, rows, serial, host);
}

err_t store_expected_claimed(
	struct call *call, const char *id, const char *tenant, const char *device)
{
	static const struct db_statement statement = {
		"UPDATE provision.expected_device SET claimed_at = now(), claimed_by = $3,"
		" device_id = $4, code = NULL, code_until = NULL, version = version + 1"
		" WHERE tenant_id = $1 AND id = $2"
	};

	return DB_QUERY(call, &statement, NULL, call->tenant, id, tenant, device);
}

err_t store_name_taken(struct call *call, const char *name, bool *taken)
{
	static const struct db_statement statement = {
		"SELECT 1 FROM provision.device WHERE tenant_id = $1 AND name = $2"
		" AND state <> 'retired'"
	};
	AUTO_ROWS rows = NULL;
	err_t err = DB_QUERY(call, &statement, &rows, call->tenant, name);

	if (err == OK)
		*taken = db_count(rows) > 0;
	return err;
}
