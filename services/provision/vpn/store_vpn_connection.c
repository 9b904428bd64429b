/* store_vpn_connection: the SQL of VPN connections; see store_vpn.h. Runs in the thread of the
 * call.
 */
#include "services/provision/vpn/store_vpn.h"

#include "services/provision/store.h"

#include <inttypes.h>

#define SILENT "interval '30 seconds'" /* of a server, after which its connections are over */
#define KEPT   "interval '32 days'"
#define TODAY  "(now() AT TIME ZONE 'UTC')::date"

/* ---- ending ---- */

/* Ends connections c; host numbers that they had taken are free again. */
#define END(set, from, where)                                                                      \
	"WITH over AS (UPDATE provision.vpn_connection c SET " set " " from                        \
	" WHERE ended_at IS NULL AND " where " RETURNING c.tenant_id, c.network_id, c.host)"       \
	" INSERT INTO provision.free_host (tenant_id, network_id, host)"                           \
	" SELECT o.tenant_id, o.network_id, o.host FROM over o JOIN provision.network n"           \
	" ON n.tenant_id = o.tenant_id AND n.id = o.network_id WHERE o.host IS NOT NULL"           \
	" ON CONFLICT DO NOTHING"
#define LOST	  "ended_at = greatest(started_at, coalesce(s.reported_at, started_at)), lost = true"
#define OF_SERVER "FROM provision.vpn_server s"

static err_t end_displaced(struct call *call, const char *serial)
{
	static const struct db_statement statement = { END(
		"ended_at = now()", "", "c.tenant_id = $1 AND c.serial = $2") };

	return DB_QUERY(call, &statement, NULL, call->tenant, serial);
}

err_t store_vpn_connection_end(struct call *call, const char *server, const char *id)
{
	static const struct db_statement end = { END(
		"ended_at = now()", "", "c.tenant_id = $1 AND c.server_id = $2 AND c.id = $3") };
	static const struct db_statement told = {
		"UPDATE provision.vpn_connection SET gone = true"
		" WHERE tenant_id = $1 AND server_id = $2 AND id = $3 AND NOT gone"
	};
	err_t err = DB_QUERY(call, &end, NULL, call->tenant, server, id);

	return err == OK ? DB_QUERY(call, &told, NULL, call->tenant, server, id) : err;
}

err_t store_vpn_connections_lost(struct call *call, const char *server)
{
	static const struct db_statement end = { END(LOST, OF_SERVER,
		"c.tenant_id = $1 AND c.server_id = $2 AND s.tenant_id = $1 AND s.id = $2") };
	static const struct db_statement told = {
		"UPDATE provision.vpn_connection SET gone = true"
		" WHERE tenant_id = $1 AND server_id = $2 AND NOT gone"
	};
	err_t err = DB_QUERY(call, &end, NULL, call->tenant, server);

	return err == OK ? DB_QUERY(call, &told, NULL, call->tenant, server) : err;
}

err_t store_vpn_connections_silent(struct call *call)
{
	static const struct db_statement statement = { END(LOST, OF_SERVER,
		"s.tenant_id = c.tenant_id AND s.id = c.server_id AND NOT gone"
		" AND s.reported_at < now() - " SILENT) };

	return db_query(call, &statement, NULL, 0, NULL);
}

err_t store_vpn_connections_forget(struct call *call)
{
	static const struct db_statement statement = { "DELETE FROM provision.vpn_connection"
						       " WHERE started_at < now() - " KEPT
						       " AND ended_at < now() - " KEPT };

	return db_query(call, &statement, NULL, 0, NULL);
}

/* ---- beginning ---- */

/* The number that the certificate had here last, if nobody has it now. */
static err_t take_same_host(
	struct call *call, const char *network, const char *serial, const char **host)
{
	static const struct db_statement statement = {
		"DELETE FROM provision.free_host WHERE tenant_id = $1 AND network_id = $2 AND host "
		"="
		" (SELECT host FROM provision.vpn_connection WHERE tenant_id = $1"
		" AND network_id = $2 AND serial = $3 AND host IS NOT NULL"
		" ORDER BY id DESC LIMIT 1) RETURNING host"
	};
	AUTO_ROWS rows = NULL;
	err_t err = DB_QUERY(call, &statement, &rows, call->tenant, network, serial);

	if (err == OK)
		*host = db_count(rows) > 0 ? arena_strdup(call->arena, db_text(rows, 0, "host"))
					   : NULL;
	return err;
}

/* A number to take for the connection's time; NULL for a device, which has one. */
static err_t take_host(
	struct call *call, const char *network, const struct vpn_client *client, const char **host)
{
	err_t err;

	*host = NULL;
	if (client->host != NULL)
		return OK;
	if ((err = take_same_host(call, network, client->serial, host)) != OK || *host != NULL)
		return err;
	return store_host_take(call, network, host);
}

/* That of the server $2, or else of the certificate with the serial $8. */
#define PROFILE                                                                                    \
	"coalesce((SELECT p.profile_id FROM provision.vpn_server s JOIN provision.profile p"       \
	" ON p.tenant_id = s.tenant_id AND p.id = s.profile_id"                                    \
	" WHERE s.tenant_id = $1 AND s.id = $2),"                                                  \
	" (SELECT a.profile_id FROM provision.certificate t JOIN provision.app_certificate a"      \
	" ON a.tenant_id = t.tenant_id AND a.certificate_id = t.id"                                \
	" WHERE t.tenant_id = $1 AND t.serial = $8), '')"

err_t store_vpn_connection_add(struct call *call, const Provision__VpnServer *server,
	const char *run, const struct vpn_client *client, Provision__VpnDecision *reply)
{
	static const struct db_statement statement = {
		"INSERT INTO provision.vpn_connection (tenant_id, server_id, run_id, network_id,"
		" kind, subject, label, serial, source, doubted, host, profile_id, ipv4, ipv6)"
		" SELECT $1, $2, $3, n.id, $5, $6, $7, $8, $9, $5 = 'user', $10::bigint, " PROFILE
		","
		" host(n.ipv4 + coalesce($10::bigint, $11::bigint))::inet,"
		" CASE WHEN NOT $12::boolean"
		" THEN host(n.ipv6 + coalesce($10::bigint, $11::bigint))::inet END"
		" FROM provision.network n WHERE n.tenant_id = $1 AND n.id = $4"
		" RETURNING id AS connection,"
		" (SELECT set_masklen(vpn_connection.ipv4, masklen(n.ipv4)) FROM provision.network "
		"n"
		" WHERE n.tenant_id = $1 AND n.id = $4) AS ipv4,"
		" (SELECT set_masklen(vpn_connection.ipv6, masklen(n.ipv6)) FROM provision.network "
		"n"
		" WHERE n.tenant_id = $1 AND n.id = $4) AS ipv6"
	};
	const char *params[] = { call->tenant, server->id, run, server->network, client->kind,
		client->subject, client->label, client->serial, client->source, NULL, client->host,
		store_bool(client->ipv4_only) };
	err_t err;

	if ((err = end_displaced(call, client->serial)) != OK ||
		(err = take_host(call, server->network, client, &params[9])) != OK)
		return err;
	return db_one(call, &statement, &reply->base, "network", ARRAY_LEN(params), params);
}

/* ---- while it lives ---- */

err_t store_vpn_connection_count(
	struct call *call, const char *server, const Provision__VpnConnectionReport *report)
{
	/* Both see what was there before. */
	static const struct db_statement statement = {
		"WITH midnight AS (INSERT INTO provision.vpn_midnight"
		" (tenant_id, connection_id, day, bytes)"
		" SELECT tenant_id, id, " TODAY ", bytes_in + bytes_out"
		" FROM provision.vpn_connection WHERE tenant_id = $1 AND server_id = $2 AND id = $3"
		" AND (started_at AT TIME ZONE 'UTC')::date < " TODAY " AND ended_at IS NULL"
		" ON CONFLICT DO NOTHING)"
		" UPDATE provision.vpn_connection SET bytes_in = $4, bytes_out = $5"
		" WHERE tenant_id = $1 AND server_id = $2 AND id = $3"
	};

	return DB_QUERY(call, &statement, NULL, call->tenant, server, report->connection,
		arena_printf(call->arena, "%" PRIu64, report->bytes_in),
		arena_printf(call->arena, "%" PRIu64, report->bytes_out));
}

err_t store_vpn_connections_ban(struct call *call, const char *subject)
{
	static const struct db_statement statement = {
		"UPDATE provision.vpn_connection SET banned = true WHERE tenant_id = $1"
		" AND ($2::text IS NULL OR subject = $2) AND ended_at IS NULL"
	};

	return DB_QUERY(call, &statement, NULL, call->tenant, subject);
}

err_t store_vpn_connections_doubt(struct call *call, const char *user)
{
	static const struct db_statement statement = {
		"UPDATE provision.vpn_connection SET doubted = true WHERE tenant_id = $1"
		" AND kind = 'user' AND ($2 = '' OR subject = $2) AND ended_at IS NULL"
	};

	return DB_QUERY(call, &statement, NULL, call->tenant, user);
}

err_t store_vpn_doubted(
	struct call *call, const char *server, const char *run, struct db_rows **rows)
{
	static const struct db_statement statement = {
		"SELECT id, serial FROM provision.vpn_connection WHERE tenant_id = $1"
		" AND server_id = $2 AND run_id = $3 AND NOT gone AND ended_at IS NULL"
		" AND doubted LIMIT 64"
	};

	return DB_QUERY(call, &statement, rows, call->tenant, server, run);
}

err_t store_vpn_judged(struct call *call, const char *id, bool banned)
{
	static const struct db_statement statement = {
		"UPDATE provision.vpn_connection SET doubted = false, banned = banned OR $3"
		" WHERE tenant_id = $1 AND id = $2"
	};

	return DB_QUERY(call, &statement, NULL, call->tenant, id, store_bool(banned));
}

err_t store_vpn_unwelcome(
	struct call *call, const char *server, const char *run, struct db_rows **rows)
{
	static const struct db_statement statement = {
		"SELECT c.id FROM provision.vpn_connection c"
		" LEFT JOIN provision.certificate t ON t.tenant_id = $1 AND t.serial = c.serial"
		" LEFT JOIN provision.device d ON d.tenant_id = $1 AND d.id = c.subject::uuid"
		" LEFT JOIN provision.member m ON m.tenant_id = $1 AND m.device_id = d.id"
		" AND m.network_id = c.network_id"
		" LEFT JOIN provision.portal_device p ON p.tenant_id = $1 AND p.device_id = d.id"
		" WHERE c.tenant_id = $1 AND server_id = $2 AND run_id = $3 AND NOT gone"
		" AND (ended_at IS NOT NULL OR banned OR t.serial IS NULL"
		" OR t.revoked_at IS NOT NULL OR t.not_after <= now() OR (c.kind = 'device'"
		" AND (d.state <> 'approved' OR m.id IS NULL OR p.quarantined_at IS NOT NULL)))"
	};

	return DB_QUERY(call, &statement, rows, call->tenant, server, run);
}

/* ---- the log ---- */

#define COLUMNS                                                                                    \
	"id, server_id AS server, network_id AS network, kind, subject, label, serial,"            \
	" host(ipv4) AS ipv4, host(ipv6) AS ipv6, source,"                                         \
	" fabric.rfc3339(started_at) AS started_at, fabric.rfc3339(ended_at) AS ended_at,"         \
	" bytes_in, bytes_out, lost"
/* A time means all of its second. */
#define PAGE(filter)                                                                               \
	"SELECT " COLUMNS " FROM provision.vpn_connection WHERE tenant_id = $1 AND id > $2"        \
	" AND ($4::uuid IS NULL OR server_id = $4::uuid) AND ($5::timestamptz IS NULL"             \
	" OR (started_at < $5::timestamptz + interval '1 second'"                                  \
	" AND coalesce(ended_at >= $5::timestamptz, true)))"                                       \
	" AND ($6::text IS NULL OR subject = $6)" filter " ORDER BY id LIMIT $3"

err_t store_vpn_connection_list(struct call *call,
	const Provision__ListVpnConnectionsRequest *request, Provision__VpnConnectionList *reply)
{
	static const struct db_statement any = { PAGE("") };
	static const struct db_statement of_address = { PAGE(
		" AND (ipv4 = $7::inet OR ipv6 = $7::inet)") };
	const char *params[] = { call->tenant, store_cursor(request->cursor),
		store_limit(call, request->limit), store_filter(request->server),
		store_filter(request->at), store_filter(request->subject), request->address };
	bool by_address = *request->address != '\0';

	return db_page(call, by_address ? &of_address : &any, &reply->base, request->limit,
		ARRAY_LEN(params) - !by_address, params);
}
