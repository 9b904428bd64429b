/* store_portal: the SQL of the portal and its devices; see store_portal.h. Runs in the thread of
 * the call. */
#include "services/provision/store_portal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *number(struct call *call, int n)
{
	return arena_printf(call->arena, "%d", n);
}

/* ---- the portal ---- */

#define PORTAL                                                                                     \
	"host, client_conf, interval_s, disable_code, strict, one_shot,"                           \
	" fabric.rfc3339(legacy_until) AS legacy_until, ta_key <> '' AS has_ta_key, clone_guard,"  \
	" agent_settings, trust_percent, auth_type, xml_prolog, status_after_ack, learn,"          \
	" update_interval_s, disabled_interval_s, dir, file_names, vpn_copies, version"

err_t store_portal_lock(struct call *call, struct db_rows **rows)
{
	static const struct db_statement make = {
		"INSERT INTO provision.portal (tenant_id) VALUES ($1) ON CONFLICT DO NOTHING"
	};
	static const struct db_statement lock = {
		"SELECT " PORTAL ", ta_key FROM provision.portal WHERE tenant_id = $1 FOR UPDATE"
	};
	err_t err = DB_QUERY(call, &make, NULL, call->tenant);

	return err == OK ? DB_QUERY(call, &lock, rows, call->tenant) : err;
}

err_t store_portal_update(struct call *call, const Provision__Portal *portal, const char *ta_key,
	Provision__Portal *reply)
{
	static const struct db_statement statement = {
		"UPDATE provision.portal SET host = nullif($2, ''), client_conf = $3,"
		" interval_s = $4, disable_code = $5, strict = $6, one_shot = $7,"
		" legacy_until = nullif($8, '')::timestamptz, ta_key = $9, clone_guard = $10,"
		" agent_settings = $11, trust_percent = $12, auth_type = $13, xml_prolog = $14,"
		" status_after_ack = $15, learn = $16, update_interval_s = $17,"
		" disabled_interval_s = $18, dir = $19, file_names = $20,"
		" vpn_copies = $21, version = version + 1"
		" WHERE tenant_id = $1 RETURNING " PORTAL
	};
	const char *params[] = { call->tenant, portal->host, portal->client_conf,
		number(call, (int)portal->interval_s), number(call, (int)portal->disable_code),
		portal->strict ? "true" : "false", portal->one_shot ? "true" : "false",
		portal->legacy_until, ta_key, portal->clone_guard ? "true" : "false",
		portal->agent_settings, number(call, (int)portal->trust_percent),
		number(call, (int)portal->auth_type), portal->xml_prolog ? "true" : "false",
		portal->status_after_ack ? "true" : "false", portal->learn ? "true" : "false",
		number(call, (int)portal->update_interval_s),
		number(call, (int)portal->disabled_interval_s), portal->dir, portal->file_names,
		portal->vpn_copies ? "true" : "false" };
	err_t err = db_one(call, &statement, &reply->base, "portal", ARRAY_LEN(params), params);

	if (err == ERR_ALREADY_EXISTS)
		return call_refuse(
			call, err, "host", "%s is another tenant's already", portal->host);
	return err;
}

/* ---- its devices ---- */

#define STATE                                                                                      \
	"CASE WHEN quarantined_at IS NOT NULL THEN 'quarantined'"                                  \
	" WHEN d.state <> 'approved' OR current = 0 THEN 'disabled'"                               \
	" WHEN acknowledged = current AND good = current THEN 'connected'"                         \
	" WHEN acknowledged = current THEN 'enabled'"                                              \
	" WHEN delivered = current THEN 'delivered' ELSE 'pending' END AS state"
#define COLUMNS                                                                                    \
	"device_id AS id, serial, d.name, " STATE ", legacy, current, announced, delivered,"       \
	" fabric.rfc3339(delivered_at) AS delivered_at, acknowledged,"                             \
	" fabric.rfc3339(acknowledged_at) AS acknowledged_at, good,"                               \
	" fabric.rfc3339(seen_at) AS seen_at, bad, fabric.rfc3339(polled_at) AS polled_at,"        \
	" source, fabric.rfc3339(quarantined_at) AS quarantined_at,"                               \
	" fabric.rfc3339(failed_at) AS failed_at, failure,"                                        \
	" fabric.rfc3339(s.created_at) AS created_at, s.version"
#define TABLES                                                                                     \
	" FROM provision.portal_device s JOIN provision.device d"                                  \
	" ON d.tenant_id = s.tenant_id AND d.id = s.device_id WHERE s.tenant_id = $1"

err_t store_portal_device_get(struct call *call, const char *id, Provision__PortalDevice *reply)
{
	static const struct db_statement statement = { "SELECT " COLUMNS TABLES
						       " AND device_id = $2" };
	const char *params[] = { call->tenant, id };

	return db_one(call, &statement, &reply->base, "portal device", ARRAY_LEN(params), params);
}

err_t store_portal_device_lock(struct call *call, const char *id, Provision__PortalDevice *reply)
{
	static const struct db_statement statement = { "SELECT " COLUMNS TABLES
						       " AND device_id = $2 FOR UPDATE OF s" };
	const char *params[] = { call->tenant, id };

	return db_one(call, &statement, &reply->base, "portal device", ARRAY_LEN(params), params);
}

err_t store_portal_device_create(struct call *call, const char *device, const char *serial,
	bool legacy, Provision__PortalDevice *reply)
{
	static const struct db_statement statement = {
		"INSERT INTO provision.portal_device (tenant_id, device_id, serial, legacy)"
		" VALUES ($1, $2, $3, $4)"
	};
	err_t err = DB_QUERY(
		call, &statement, NULL, call->tenant, device, serial, legacy ? "true" : "false");

	if (err == ERR_ALREADY_EXISTS)
		return call_refuse(
			call, err, "serial", "there is a device with serial %s already", serial);
	return err == OK ? store_portal_device_get(call, device, reply) : err;
}

err_t store_portal_device_keeps_secret(struct call *call, const char *id)
{
	static const struct db_statement statement = {
		"UPDATE provision.portal_device SET legacy = false, version = version + 1"
		" WHERE tenant_id = $1 AND device_id = $2"
	};

	return DB_QUERY(call, &statement, NULL, call->tenant, id);
}

err_t store_portal_device_release(struct call *call, const char *id)
{
	static const struct db_statement statement = {
		"UPDATE provision.portal_device SET quarantined_at = NULL, source_before = '',"
		" version = version + 1 WHERE tenant_id = $1 AND device_id = $2"
	};

	return DB_QUERY(call, &statement, NULL, call->tenant, id);
}

err_t store_portal_device_forget(struct call *call, const char *id)
{
	static const struct db_statement statement = {
		"DELETE FROM provision.portal_device WHERE tenant_id = $1 AND device_id = $2"
	};

	return DB_QUERY(call, &statement, NULL, call->tenant, id);
}

#define PAGE(filter)                                                                               \
	"SELECT " COLUMNS TABLES " AND device_id > $2" filter " ORDER BY device_id LIMIT $3"

static const struct db_statement pages[] = { { PAGE("") }, { PAGE(" AND d.name = $4") } };

err_t store_portal_device_list(struct call *call, const Provision__ListRequest *request,
	Provision__PortalDeviceList *reply)
{
	const char *params[] = { call->tenant, store_cursor(request->cursor),
		store_limit(call, request->limit), store_filter(request->name) };

	return store_page(call, pages, &reply->base, request->limit, ARRAY_LEN(params), params);
}

/* ---- what they ask ---- */

#define FIND                                                                                       \
	"SELECT s.tenant_id AS tenant, device_id AS device, serial, legacy,"                       \
	" coalesce(legacy_until > now(), false) AS legacy_open, "                                  \
	" d.state = 'approved' AND quarantined_at IS NULL AS approved,"                            \
	" d.state = 'retired' AS retired, current, delivered, acknowledged, good, unanswered,"     \
	" CASE WHEN announced_at > now() - interval '120 seconds' THEN announced ELSE current END" \
	" AS promised, interval_s, disable_code, strict, one_shot,"                                \
	" auth_type, xml_prolog, status_after_ack, learn, update_interval_s, disabled_interval_s," \
	" coalesce(host = $2, false) AS named,"                                                    \
	" clone_guard AND NOT provision.same_network(source, $3) AS moved"                         \
	" FROM provision.portal_device s JOIN provision.portal p ON p.tenant_id = s.tenant_id"     \
	" JOIN provision.device d ON d.tenant_id = s.tenant_id AND d.id = s.device_id"             \
	" WHERE serial = $1 AND coalesce(host = $2, true) ORDER BY named DESC LIMIT 2"

err_t store_portal_find(struct call *call, const Provision__PortalRequest *request, bool lock,
	struct db_rows **rows)
{
	static const struct db_statement find = { FIND };
	static const struct db_statement find_locked = { FIND " FOR UPDATE OF s FOR SHARE OF d" };

	return DB_QUERY(call, lock ? &find_locked : &find, rows, request->serial, request->host,
		request->source);
}

struct portal_state store_portal_state(const struct db_rows *row, bool approved)
{
	return (struct portal_state){
		.approved = approved,
		.current = (int)db_int(row, 0, "current"),
		.delivered = (int)db_int(row, 0, "delivered"),
		.acknowledged = (int)db_int(row, 0, "acknowledged"),
		.unanswered = (int)db_int(row, 0, "unanswered"),
		.interval_s = (int)db_int(row, 0, "interval_s"),
		.update_interval_s = (int)db_int(row, 0, "update_interval_s"),
		.disabled_interval_s = (int)db_int(row, 0, "disabled_interval_s"),
		.disable_code = (int)db_int(row, 0, "disable_code"),
	};
}

err_t store_portal_moved(
	struct call *call, const char *device, const char *source, bool *quarantined)
{
	static const struct db_statement statement = {
		"UPDATE provision.portal_device s SET source = $3, source_before = source,"
		" source_changed_at = now(), version = s.version + 1, quarantined_at ="
		" CASE WHEN source_before <> '' AND provision.same_network(source_before, $3)"
		" AND source_changed_at > now() - make_interval(secs => interval_s)"
		" THEN coalesce(quarantined_at, now()) ELSE quarantined_at END"
		" FROM provision.portal p WHERE p.tenant_id = s.tenant_id AND s.tenant_id = $1"
		" AND device_id = $2 RETURNING quarantined_at IS NOT DISTINCT FROM now() AS twin"
	};
	AUTO_ROWS rows = NULL;
	err_t err = DB_QUERY(call, &statement, &rows, call->tenant, device, source);

	if (err == OK)
		*quarantined = db_count(rows) > 0 && db_bool(rows, 0, "twin");
	return err;
}

/* A poll that changes nothing is written once a minute at most. */
err_t store_portal_polled(struct call *call, const char *device, int announced, const char *source)
{
	static const struct db_statement statement = {
		"UPDATE provision.portal_device SET polled_at = now(), source = $4,"
		" unanswered = CASE WHEN $3 = 0 THEN 0 ELSE least(unanswered + 1, 100) END,"
		" announced_at = CASE WHEN $3 = 0 THEN announced_at ELSE now() END,"
		" announced = CASE WHEN $3 = 0 THEN announced ELSE $3::integer END"
		" WHERE tenant_id = $1 AND device_id = $2 AND ($3::integer <> 0 OR source <> $4"
		" OR coalesce(polled_at < now() - interval '1 minute', true))"
	};

	return DB_QUERY(
		call, &statement, NULL, call->tenant, device, number(call, announced), source);
}

/* One column of the items as an array. */
#define COLUMN(expression)                                                                         \
	({                                                                                         \
		for (size_t i = 0; i < request->n_items; i++)                                      \
			texts[i] = (expression);                                                   \
		db_array(call->arena, request->n_items, texts);                                    \
	})

err_t store_portal_seen(struct call *call, const Provision__NotePollsRequest *request)
{
	static const struct db_statement statement = {
		"WITH seen AS (SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[],"
		" $4::bigint[]) AS row (tenant, device, source, at_ms)), free AS"
		" (SELECT tenant_id, device_id FROM provision.portal_device s JOIN seen"
		" ON tenant_id = tenant AND device_id = device FOR UPDATE OF s SKIP LOCKED)"
		" UPDATE provision.portal_device s SET source = seen.source,"
		" polled_at = greatest(polled_at, to_timestamp(at_ms / 1000.0)) FROM free, seen"
		" WHERE s.tenant_id = free.tenant_id AND s.device_id = free.device_id"
		" AND tenant = free.tenant_id AND device = free.device_id"
	};
	char **texts = arena_alloc(call->arena, (request->n_items + 1) * sizeof(*texts));
	const char *tenants = COLUMN(request->items[i]->tenant);
	const char *devices = COLUMN(request->items[i]->device);
	const char *sources = COLUMN(request->items[i]->source);
	const char *times = COLUMN(arena_printf(call->arena, "%" PRId64, request->items[i]->at_ms));

	return DB_QUERY(call, &statement, NULL, tenants, devices, sources, times);
}

err_t store_portal_delivered(struct call *call, const char *device, int n)
{
	static const struct db_statement statement = {
		"UPDATE provision.portal_device SET delivered = $3, delivered_at = now(),"
		" version = version + 1 WHERE tenant_id = $1 AND device_id = $2"
	};

	return DB_QUERY(call, &statement, NULL, call->tenant, device, number(call, n));
}

err_t store_portal_acknowledged(struct call *call, const char *device)
{
	static const struct db_statement statement = {
		"UPDATE provision.portal_device SET acknowledged = delivered,"
		" acknowledged_at = now(), unanswered = 0, version = version + 1"
		" WHERE tenant_id = $1 AND device_id = $2 AND acknowledged <> delivered"
	};

	return DB_QUERY(call, &statement, NULL, call->tenant, device);
}

#define IN(word) " count(*) FILTER (WHERE state = '" word "') AS " word ","

err_t store_portal_counts(struct call *call, struct db_rows **rows)
{
	static const struct db_statement statement = { "SELECT" IN("disabled") IN("pending")
			IN("delivered") IN("enabled") IN("connected") IN(
				"quarantined") " count(*) FILTER (WHERE legacy) AS legacy,"
					       " coalesce(extract(epoch FROM now() - "
					       "min(delivered_at) FILTER"
					       " (WHERE state = 'delivered')), 0)::bigint AS "
					       "oldest_s FROM (SELECT " STATE ","
					       " legacy, delivered_at FROM provision.portal_device "
					       "s JOIN provision.device d"
					       " ON d.tenant_id = s.tenant_id AND d.id = "
					       "s.device_id) AS counted" };

	return db_query(call, &statement, rows, 0, NULL);
}
