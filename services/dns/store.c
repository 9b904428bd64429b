/* store: the SQL of names. In the thread and the transaction of the call. */
#include "services/dns/store.h"

#include "lib/db.h"
#include "services/dns/store_zone.h"

#include <stdio.h>

/* ---- changes ---- */

static const struct db_statement take_name = {
	"DELETE FROM dns.name WHERE tenant_id = $1 AND id <> $2 AND name = $3"
};

/* The serial rises only if something changed: an event may come twice. */
static err_t note_change(struct call *call, const struct db_rows *rows)
{
	return db_bool(rows, 0, "changed") ? store_members_changed(call) : OK;
}

static const struct db_statement put = {
	"WITH changed AS ("
	"INSERT INTO dns.name AS old (tenant_id, id, name, network, device, ipv4, ipv6)"
	" VALUES ($1, $2, $3, $4, $5, nullif($6, '')::inet, nullif($7, '')::inet)"
	" ON CONFLICT (tenant_id, id) DO UPDATE SET name = excluded.name,"
	" network = excluded.network, device = excluded.device, ipv4 = excluded.ipv4,"
	" ipv6 = excluded.ipv6, changed = pg_current_xact_id()"
	" WHERE (old.name, old.network, old.device, old.ipv4, old.ipv6) IS DISTINCT FROM"
	" (excluded.name, excluded.network, excluded.device, excluded.ipv4, excluded.ipv6)"
	" RETURNING 1) SELECT count(*) > 0 AS changed FROM changed"
};

err_t store_put(struct call *call, const Event__Member *member, const char *relative)
{
	AUTO_ROWS rows = NULL;
	err_t err;

	err = DB_QUERY(call, &take_name, NULL, call->tenant, member->member, relative);
	if (err != OK)
		return err;
	err = DB_QUERY(call, &put, &rows, call->tenant, member->member, relative, member->network,
		member->device, member->ipv4, member->ipv6);
	return err != OK ? err : note_change(call, rows);
}

static const struct db_statement remove_name = {
	"WITH changed AS (DELETE FROM dns.name WHERE tenant_id = $1 AND id = $2 RETURNING 1)"
	" SELECT count(*) > 0 AS changed FROM changed"
};

err_t store_remove(struct call *call, const char *member)
{
	AUTO_ROWS rows = NULL;
	err_t err = DB_QUERY(call, &remove_name, &rows, call->tenant, member);

	return err != OK ? err : note_change(call, rows);
}

/* ---- reading ---- */

/* The columns of a Dns__Name; $3 is the zone. */
#define NAME                                                                                       \
	"id, name || '.' || $3 AS name, network, device, host(ipv4) AS ipv4, host(ipv6) AS ipv6,"  \
	" fabric.rfc3339(created_at) AS created_at"

static const struct db_statement get = { "SELECT " NAME
					 " FROM dns.name WHERE tenant_id = $1 AND id = $2" };

err_t store_get(struct call *call, const char *zone, const char *id, Dns__Name *name)
{
	return db_one(call, &get, &name->base, "name", 3,
		(const char *const[]){ call->tenant, id, zone });
}

static const struct db_statement list_names = {
	"SELECT " NAME " FROM dns.name WHERE tenant_id = $1"
	" AND id > coalesce(nullif($2, '')::uuid, '00000000-0000-0000-0000-000000000000')"
	" AND ($4::text IS NULL OR name.name = $4)"
	" AND network = coalesce(nullif($5, '')::uuid, network) ORDER BY name.id LIMIT $6::bigint"
};

err_t store_list(struct call *call, const char *zone, const Dns__ListRequest *request,
	const char *relative, Dns__NameList *list)
{
	char limit[16];

	snprintf(limit, sizeof(limit), "%u", db_page_limit(request->limit) + 1);
	return db_page(call, &list_names, &list->base, request->limit, 6,
		(const char *const[]){
			call->tenant, request->cursor, zone, relative, request->network, limit });
}
