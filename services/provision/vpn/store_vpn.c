/* store_vpn: the SQL of VPN servers; see store_vpn.h. Runs in the thread of the call. */
#include "services/provision/vpn/store_vpn.h"

#include "services/provision/store.h"

#include <string.h>

#define UP_S   "interval '15 seconds'" /* since it reported last */
#define NOTE_S "interval '5 seconds'"

#define COLUMNS                                                                                    \
	"s.id, device_id AS device, network_id AS network, s.profile_id AS profile, host, port, "  \
	"protocol, mode,"                                                                          \
	" max_clients, CASE WHEN reported_at > now() - " UP_S " THEN 'up' ELSE 'down' END"         \
	" AS state, kind, public_key, fabric.rfc3339(reported_at) AS reported_at,"                 \
	" fabric.rfc3339(s.created_at) AS created_at, s.version"

err_t store_vpn_server_create(
	struct call *call, const Provision__VpnServer *server, Provision__VpnServer *reply)
{
	static const struct db_statement statement = {
		"INSERT INTO provision.vpn_server AS s (tenant_id, device_id, network_id, host,"
		" port, protocol, mode, max_clients, profile_id, kind)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, nullif($9, '')::uuid, $10)"
		" RETURNING " COLUMNS
	};
	const char *params[] = { call->tenant, server->device, server->network, server->host,
		store_number(call, server->port), server->protocol, server->mode,
		store_number(call, server->max_clients), server->profile, server->kind };

	return db_one(call, &statement, &reply->base, "VPN server", ARRAY_LEN(params), params);
}

#define SELECT "SELECT " COLUMNS " FROM provision.vpn_server s WHERE tenant_id = $1"

err_t store_vpn_server_get(struct call *call, const char *id, Provision__VpnServer *reply)
{
	static const struct db_statement statement = { SELECT " AND id = $2" };
	const char *params[] = { call->tenant, id };

	return db_one(call, &statement, &reply->base, "VPN server", ARRAY_LEN(params), params);
}

err_t store_vpn_server_list(
	struct call *call, const Provision__ListRequest *request, Provision__VpnServerList *reply)
{
	static const struct db_statement pages[] = { { SELECT " AND id > $2 ORDER BY id LIMIT $3" },
		{ SELECT " AND id > $2 AND device_id = $4 ORDER BY id LIMIT $3" } };
	const char *params[] = { call->tenant, store_cursor(request->cursor),
		store_limit(call, request->limit), store_filter(request->device) };

	return store_page(call, pages, &reply->base, request->limit, ARRAY_LEN(params), params);
}

err_t store_vpn_server_delete(struct call *call, const char *id)
{
	static const struct db_statement statement = {
		"DELETE FROM provision.vpn_server WHERE tenant_id = $1 AND id = $2"
	};

	return DB_QUERY(call, &statement, NULL, call->tenant, id);
}

#define OWN                                                                                        \
	"SELECT " COLUMNS ", run_id AS run, (SELECT p.profile_id FROM provision.profile p"         \
	" WHERE p.tenant_id = s.tenant_id AND p.id = s.profile_id) AS profile_name,"               \
	" EXISTS (SELECT FROM provision.member m WHERE m.tenant_id = s.tenant_id"                  \
	" AND m.network_id = s.network_id AND m.device_id = s.device_id) AS is_member"             \
	" FROM provision.vpn_server s JOIN provision.device d"                                     \
	" ON d.tenant_id = s.tenant_id AND d.id = device_id WHERE s.tenant_id = $1"                \
	" AND device_id = $2 AND ($3::uuid IS NULL OR s.id = $3::uuid) AND d.state = 'approved'"   \
	" AND kind = $4"                                                                           \
	" LIMIT 2"

err_t store_vpn_server_own(
	struct call *call, const struct store_vpn_own *own, struct db_rows **rows)
{
	static const struct db_statement plain = { OWN };
	static const struct db_statement locked = { OWN " FOR UPDATE OF s" };

	return DB_QUERY(call, own->lock ? &locked : &plain, rows, call->tenant, own->device,
		store_filter(own->id), own->kind);
}

err_t store_vpn_server_start(struct call *call, const char *id, const char **run)
{
	static const struct db_statement statement = {
		"UPDATE provision.vpn_server SET run_id = gen_random_uuid(), reported_at = now()"
		" WHERE tenant_id = $1 AND id = $2 RETURNING run_id AS run"
	};
	AUTO_ROWS rows = NULL;
	err_t err = DB_QUERY(call, &statement, &rows, call->tenant, id);

	if (err == OK)
		*run = arena_strdup(call->arena, db_text(rows, 0, "run"));
	return err;
}

err_t store_vpn_server_reported(struct call *call, const char *id)
{
	static const struct db_statement statement = {
		"UPDATE provision.vpn_server SET reported_at = now()"
		" WHERE tenant_id = $1 AND id = $2 AND reported_at < now() - " NOTE_S
	};

	return DB_QUERY(call, &statement, NULL, call->tenant, id);
}

err_t store_vpn_member_host(
	struct call *call, const char *network, const char *device, const char **host)
{
	static const struct db_statement statement = {
		"SELECT host FROM provision.member"
		" WHERE tenant_id = $1 AND network_id = $2 AND device_id = $3"
	};
	AUTO_ROWS rows = NULL;
	err_t err = DB_QUERY(call, &statement, &rows, call->tenant, network, device);

	if (err == OK)
		*host = db_count(rows) > 0 ? arena_strdup(call->arena, db_text(rows, 0, "host"))
					   : "";
	return err;
}
