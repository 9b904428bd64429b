/* store_peer_server: the SQL of what WireGuard servers tell and are told; see store_peer.h. Runs in
 * the thread of the call. */
#include "services/provision/wireguard/store_peer.h"

#include "services/provision/store.h"

#include <inttypes.h>
#include <string.h>

#define LIFE  "interval '180 seconds'" /* of what a handshake agreed on */
#define KEPT  "interval '32 days'"
#define TODAY "(now() AT TIME ZONE 'UTC')::date"

err_t store_peer_server_begins(struct call *call, const char *server, const char *public_key)
{
	static const struct db_statement key = { "UPDATE provision.vpn_server SET public_key = $3"
						 " WHERE tenant_id = $1 AND id = $2" };
	static const struct db_statement peers = {
		"UPDATE provision.wireguard_peer SET set_at = NULL, bytes_in = 0, bytes_out = 0"
		" WHERE tenant_id = $1 AND server_id = $2 AND ended_at IS NULL"
	};
	err_t err = DB_QUERY(call, &key, NULL, call->tenant, server, public_key);

	return err == OK ? DB_QUERY(call, &peers, NULL, call->tenant, server) : err;
}

/* ---- who is there ---- */

/* Counters of the interface as those of peers; what they have grown by since then is their
 * connection's, and what that had before a new day is noted for the statistics. */
#define REPORT                                                                                     \
	"WITH told AS (SELECT * FROM unnest($3::uuid[], $4::text[], $5::bigint[], $6::bigint[],"   \
	" $7::bigint[]) AS t (id, source, handshake_s, bytes_in, bytes_out)),"                     \
	" moved AS (UPDATE provision.wireguard_peer p SET bytes_in = t.bytes_in,"                  \
	" bytes_out = t.bytes_out, handshake_at = CASE WHEN t.handshake_s > 0"                     \
	" THEN to_timestamp(least(t.handshake_s, extract(epoch FROM now()))) END"                  \
	" FROM told t JOIN provision.wireguard_peer o ON o.tenant_id = $1 AND o.id = t.id"         \
	" WHERE p.tenant_id = $1 AND p.server_id = $2 AND p.id = t.id AND p.ended_at IS NULL"      \
	" RETURNING p.*, t.source, t.bytes_in - CASE WHEN t.bytes_in < o.bytes_in THEN 0"          \
	" ELSE o.bytes_in END AS more_in, t.bytes_out - CASE WHEN t.bytes_out < o.bytes_out"       \
	" THEN 0 ELSE o.bytes_out END AS more_out),"                                               \
	" midnight AS (INSERT INTO provision.vpn_midnight (tenant_id, connection_id, day, bytes)"  \
	" SELECT c.tenant_id, c.id, " TODAY ", c.bytes_in + c.bytes_out"                           \
	" FROM provision.vpn_connection c JOIN moved m ON m.public_key = c.serial"                 \
	" WHERE c.tenant_id = $1 AND c.server_id = $2 AND NOT c.gone"                              \
	" AND (c.started_at AT TIME ZONE 'UTC')::date < " TODAY " ON CONFLICT DO NOTHING),"        \
	" going AS (UPDATE provision.vpn_connection c SET bytes_in = c.bytes_in + m.more_in,"      \
	" bytes_out = c.bytes_out + m.more_out FROM moved m WHERE c.tenant_id = $1"                \
	" AND c.server_id = $2 AND NOT c.gone AND c.serial = m.public_key)"                        \
	" INSERT INTO provision.vpn_connection (tenant_id, server_id, run_id, network_id, kind,"   \
	" subject, label, serial, source, profile_id, ipv4, ipv6, bytes_in, bytes_out)"            \
	" SELECT $1, $2, s.run_id, m.network_id, 'user', m.user_id::text, m.profile_id,"           \
	" m.public_key, m.source, m.profile_id, host(n.ipv4 + m.host)::inet, host(n.ipv6 + "       \
	"m.host)::inet,"                                                                           \
	" m.more_in, m.more_out FROM moved m"                                                      \
	" JOIN provision.network n ON n.tenant_id = $1 AND n.id = m.network_id"                    \
	" JOIN provision.vpn_server s ON s.tenant_id = $1 AND s.id = $2"                           \
	" WHERE m.handshake_at > now() - " LIFE                                                    \
	" AND NOT EXISTS (SELECT FROM provision.vpn_connection c WHERE c.tenant_id = $1"           \
	" AND c.server_id = $2 AND NOT c.gone AND c.serial = m.public_key)"

static char *number(struct call *call, int64_t value)
{
	return arena_printf(call->arena, "%" PRId64, value);
}

err_t store_peer_report(struct call *call, const char *server, size_t n,
	Provision__WireguardPeerReport *const reports[])
{
	static const struct db_statement statement = { REPORT };
	char **columns[5];

	if (n == 0)
		return OK;
	for (size_t c = 0; c < ARRAY_LEN(columns); c++)
		columns[c] = arena_alloc(call->arena, n * sizeof(*columns[c]));
	for (size_t i = 0; i < n; i++) {
		columns[0][i] = reports[i]->peer;
		columns[1][i] = reports[i]->source;
		columns[2][i] = number(call, reports[i]->handshake_at);
		columns[3][i] = number(call, (int64_t)reports[i]->bytes_in);
		columns[4][i] = number(call, (int64_t)reports[i]->bytes_out);
	}
	return DB_QUERY(call, &statement, NULL, call->tenant, server,
		db_array(call->arena, n, columns[0]), db_array(call->arena, n, columns[1]),
		db_array(call->arena, n, columns[2]), db_array(call->arena, n, columns[3]),
		db_array(call->arena, n, columns[4]));
}

err_t store_peer_end_sessions(struct call *call)
{
	static const struct db_statement statement = {
		"UPDATE provision.vpn_connection c SET gone = true,"
		" ended_at = coalesce(c.ended_at, greatest(c.started_at, p.handshake_at + " LIFE
		"))"
		" FROM provision.wireguard_peer p, provision.vpn_server s"
		" WHERE s.kind = 'wireguard' AND c.tenant_id = s.tenant_id AND c.server_id = s.id"
		" AND NOT c.gone AND p.tenant_id = s.tenant_id AND p.server_id = s.id"
		" AND p.ended_at IS NULL AND p.public_key = c.serial"
		" AND (c.ended_at IS NOT NULL OR p.handshake_at < now() - " LIFE ")"
	};

	return db_query(call, &statement, NULL, 0, NULL);
}

/* ---- who may come in ---- */

/* One statement sees one moment: the state that it gives is that of the peers that it gives. */
#define SYNC                                                                                       \
	"WITH live AS (SELECT p.id, p.public_key, p.set_at, host(n.ipv4 + p.host) AS ipv4,"        \
	" host(n.ipv6 + p.host) AS ipv6, extract(epoch FROM p.expires_at)::bigint AS expires_at"   \
	" FROM provision.wireguard_peer p JOIN provision.network n"                                \
	" ON n.tenant_id = p.tenant_id AND n.id = p.network_id WHERE p.tenant_id = $1"             \
	" AND p.server_id = $2 AND p.ended_at IS NULL AND p.expires_at > now()),"                  \
	" now AS (SELECT encode(sha256(coalesce(string_agg(id::text, ' ' ORDER BY id),"            \
	" '')::bytea), 'hex') AS state FROM live),"                                                \
	" done AS (UPDATE provision.wireguard_peer p SET set_at = now() FROM live, now"            \
	" WHERE now.state = $3 AND p.tenant_id = $1 AND p.id = live.id AND live.set_at IS NULL)"   \
	" SELECT now.state, live.* FROM now LEFT JOIN live ON now.state <> $3 ORDER BY live.id"

err_t store_peer_sync(
	struct call *call, const char *server, const char *state, Provision__WireguardPeers *reply)
{
	static const struct db_statement statement = { SYNC };
	AUTO_ROWS rows = NULL;
	err_t err = DB_QUERY(call, &statement, &rows, call->tenant, server, state);

	if (err != OK)
		return err;
	reply->state = arena_strdup(call->arena, db_text(rows, 0, "state"));
	reply->peers = arena_alloc(call->arena, db_count(rows) * sizeof(*reply->peers));
	for (size_t i = 0; i < db_count(rows) && *db_text(rows, i, "id") != '\0'; i++) {
		Provision__WireguardPeer *peer = arena_alloc(call->arena, sizeof(*peer));

		provision__wireguard_peer__init(peer);
		db_message(rows, i, call->arena, &peer->base);
		reply->peers[reply->n_peers++] = peer;
	}
	return OK;
}

err_t store_peer_count(struct call *call, long long *n)
{
	static const struct db_statement statement = {
		"SELECT count(*) AS n FROM provision.wireguard_peer WHERE ended_at IS NULL"
	};
	AUTO_ROWS rows = NULL;
	err_t err = db_query(call, &statement, &rows, 0, NULL);

	if (err == OK)
		*n = db_int(rows, 0, "n");
	return err;
}

err_t store_peer_forget(struct call *call)
{
	static const struct db_statement statement = { "DELETE FROM provision.wireguard_peer"
						       " WHERE ended_at < now() - " KEPT };

	return db_query(call, &statement, NULL, 0, NULL);
}
