/* store_peer: see store_peer.h. Runs in the thread of the call. */
#include "services/provision/wireguard/store_peer.h"

#include "services/provision/store.h"

#include <inttypes.h>
#include <string.h>

#define UP     "interval '15 seconds'" /* as store_vpn.c has it */
#define UNUSED "interval '72 hours'"

/* ---- one more ---- */

#define N_PEERS                                                                                    \
	"(SELECT count(*) FROM provision.wireguard_peer p WHERE p.tenant_id = s.tenant_id"         \
	" AND p.server_id = s.id AND p.ended_at IS NULL)"

err_t store_peer_server(struct call *call, const char *profile, struct store_peer_server *server)
{
	static const struct db_statement statement = {
		"SELECT id, host, port, public_key, max_clients <= " N_PEERS " AS is_full"
		" FROM provision.vpn_server s WHERE tenant_id = $1 AND profile_id = $2"
		" AND kind = 'wireguard' AND public_key <> '' AND reported_at > now() - " UP
		" ORDER BY is_full, " N_PEERS ", id LIMIT 1"
	};
	AUTO_ROWS rows = NULL;
	err_t err = DB_QUERY(call, &statement, &rows, call->tenant, profile);

	*server = (struct store_peer_server){ .id = NULL };
	if (err != OK || db_count(rows) == 0)
		return err;
	server->id = arena_strdup(call->arena, db_text(rows, 0, "id"));
	server->host = arena_strdup(call->arena, db_text(rows, 0, "host"));
	server->public_key = arena_strdup(call->arena, db_text(rows, 0, "public_key"));
	server->port = (uint32_t)db_int(rows, 0, "port");
	server->is_full = db_bool(rows, 0, "is_full");
	return OK;
}

/* The number that the authorization had here last, if nobody has it now: renewed, an app keeps its
 * addresses. */
static err_t take_host(struct call *call, const struct store_peer *peer, const char **host)
{
	static const struct db_statement statement = {
		"DELETE FROM provision.free_host WHERE tenant_id = $1 AND network_id = $2"
		" AND host = (SELECT host FROM provision.wireguard_peer WHERE tenant_id = $1"
		" AND network_id = $2 AND authorization_id = $3 ORDER BY id DESC LIMIT 1)"
		" RETURNING host"
	};
	AUTO_ROWS rows = NULL;
	err_t err =
		DB_QUERY(call, &statement, &rows, call->tenant, peer->network, peer->authorization);

	if (err != OK)
		return err;
	if (db_count(rows) == 0)
		return store_host_take(call, peer->network, host);
	*host = arena_strdup(call->arena, db_text(rows, 0, "host"));
	return OK;
}

static void fill_place(
	struct call *call, const struct db_rows *rows, struct store_peer_place *place)
{
	place->id = arena_strdup(call->arena, db_text(rows, 0, "id"));
	place->ipv4 = arena_strdup(call->arena, db_text(rows, 0, "ipv4"));
	place->ipv6 = arena_strdup(call->arena, db_text(rows, 0, "ipv6"));
	place->ipv4_range = arena_strdup(call->arena, db_text(rows, 0, "ipv4_range"));
	place->ipv6_range = arena_strdup(call->arena, db_text(rows, 0, "ipv6_range"));
	place->mtu = (uint32_t)db_int(rows, 0, "mtu");
}

err_t store_peer_add(
	struct call *call, const struct store_peer *peer, struct store_peer_place *place)
{
	static const struct db_statement statement = {
		"WITH p AS (INSERT INTO provision.wireguard_peer (tenant_id, server_id,"
		" network_id, user_id, authorization_id, profile_id, public_key, host, expires_at)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, to_timestamp($9)) RETURNING *)"
		" SELECT p.id, n.mtu, n.ipv4 AS ipv4_range, n.ipv6 AS ipv6_range,"
		" set_masklen((n.ipv4 + p.host)::inet, masklen(n.ipv4)) AS ipv4,"
		" set_masklen((n.ipv6 + p.host)::inet, masklen(n.ipv6)) AS ipv6"
		" FROM p JOIN provision.network n ON n.tenant_id = p.tenant_id"
		" AND n.id = p.network_id"
	};
	const char *params[] = { call->tenant, peer->server, peer->network, peer->user,
		peer->authorization, peer->profile_id, peer->public_key, NULL,
		arena_printf(call->arena, "%" PRId64, peer->expires_at) };
	AUTO_ROWS rows = NULL;
	err_t err;

	if ((err = take_host(call, peer, &params[7])) != OK)
		return err;
	err = db_query(call, &statement, &rows, ARRAY_LEN(params), params);
	if (err == ERR_ALREADY_EXISTS)
		return call_refuse(call, ERR_INVALID_ARGUMENT, "public_key",
			"expected a key of the app's own: somebody else connects with it");
	if (err == OK)
		fill_place(call, rows, place);
	return err;
}

err_t store_peer_is_set(struct call *call, const char *authorization, const char *id, bool *is_set)
{
	static const struct db_statement statement = {
		"SELECT 1 AS is_set FROM provision.wireguard_peer WHERE tenant_id = $1"
		" AND authorization_id = $2 AND id = $3 AND set_at IS NOT NULL AND ended_at IS NULL"
	};
	AUTO_ROWS rows = NULL;
	err_t err = DB_QUERY(call, &statement, &rows, call->tenant, authorization, id);

	if (err == OK)
		*is_set = db_count(rows) > 0;
	return err;
}

/* ---- the end ---- */

/* With peers p; one that ends takes its connection along. */
#define END(reason, filter)                                                                        \
	"WITH over AS (UPDATE provision.wireguard_peer p SET ended_at = now(), judge = false,"     \
	" reason = " reason " WHERE ended_at IS NULL AND " filter                                  \
	" RETURNING p.tenant_id, p.network_id, p.server_id, p.host, p.public_key),"                \
	" closed AS (UPDATE provision.vpn_connection c SET ended_at = now(), gone = true FROM "    \
	"over o"                                                                                   \
	" WHERE c.tenant_id = o.tenant_id AND c.server_id = o.server_id AND NOT c.gone"            \
	" AND c.serial = o.public_key),"                                                           \
	" freed AS (INSERT INTO provision.free_host (tenant_id, network_id, host)"                 \
	" SELECT o.tenant_id, o.network_id, o.host FROM over o JOIN provision.network n"           \
	" ON n.tenant_id = o.tenant_id AND n.id = o.network_id ON CONFLICT DO NOTHING)"            \
	" SELECT count(*) AS n FROM over"
#define OF_TENANT(filter) END("$2", "p.tenant_id = $1 AND " filter)

static err_t end(struct call *call, const struct db_statement *statement, long long *n,
	size_t n_params, const char *const params[])
{
	AUTO_ROWS rows = NULL;
	err_t err = db_query(call, statement, &rows, n_params, params);

	if (err == OK)
		*n = db_int(rows, 0, "n");
	return err;
}

err_t store_peer_end_authorization(
	struct call *call, const char *authorization, const char *reason, long long *n)
{
	static const struct db_statement statement = { OF_TENANT("p.authorization_id = $3") };
	const char *params[] = { call->tenant, reason, authorization };

	return end(call, &statement, n, ARRAY_LEN(params), params);
}

err_t store_peer_end_key(struct call *call, const char *user, const char *public_key,
	const char *reason, long long *n)
{
	static const struct db_statement statement = { OF_TENANT(
		"p.user_id = $3 AND p.public_key = $4") };
	const char *params[] = { call->tenant, reason, user, public_key };

	return end(call, &statement, n, ARRAY_LEN(params), params);
}

err_t store_peer_end_up_to(
	struct call *call, const char *user, const char *last, const char *reason, long long *n)
{
	static const struct db_statement statement = { OF_TENANT("p.user_id = $3 AND p.id <= $4") };
	const char *params[] = { call->tenant, reason, user, last };

	return end(call, &statement, n, ARRAY_LEN(params), params);
}

err_t store_peer_end_profile(
	struct call *call, const char *profile_id, const char *reason, long long *n)
{
	static const struct db_statement statement = { OF_TENANT("p.profile_id = $3") };
	const char *params[] = { call->tenant, reason, profile_id };

	return end(call, &statement, n, ARRAY_LEN(params), params);
}

err_t store_peer_end_server(struct call *call, const char *server, const char *reason, long long *n)
{
	static const struct db_statement statement = { OF_TENANT("p.server_id = $3") };
	const char *params[] = { call->tenant, reason, server };

	return end(call, &statement, n, ARRAY_LEN(params), params);
}

err_t store_peer_end_all(struct call *call, const char *reason, long long *n)
{
	static const struct db_statement statement = { OF_TENANT("true") };
	const char *params[] = { call->tenant, reason };

	return end(call, &statement, n, ARRAY_LEN(params), params);
}

err_t store_peer_end_over(struct call *call, long long *n)
{
	static const struct db_statement statement = { END(
		"CASE WHEN expires_at <= now() THEN 'its time was over' ELSE 'it was not in use' "
		"END",
		"(expires_at <= now() OR greatest(created_at, handshake_at) < now() - " UNUSED
		")") };

	return end(call, &statement, n, 0, NULL);
}

/* ---- judging ---- */

#define JUDGE(filter)                                                                              \
	"UPDATE provision.wireguard_peer p SET judge = true"                                       \
	" WHERE tenant_id = $1 AND ended_at IS NULL AND " filter

err_t store_peer_judge_user(struct call *call, const char *user)
{
	static const struct db_statement statement = { JUDGE("user_id = $2") };

	return DB_QUERY(call, &statement, NULL, call->tenant, user);
}

err_t store_peer_judge_profile(struct call *call, const char *profile_id)
{
	static const struct db_statement statement = { JUDGE("profile_id = $2") };

	return DB_QUERY(call, &statement, NULL, call->tenant, profile_id);
}

err_t store_peer_judge_grouped(struct call *call)
{
	static const struct db_statement statement = { JUDGE(
		"profile_id IN (SELECT f.profile_id FROM provision.profile f"
		" WHERE f.tenant_id = $1 AND cardinality(f.groups) > 0)") };

	return DB_QUERY(call, &statement, NULL, call->tenant);
}

err_t store_peer_to_judge(struct call *call, struct db_rows **rows)
{
	static const struct db_statement statement = {
		"SELECT tenant_id AS tenant, id, user_id AS user, profile_id"
		" FROM provision.wireguard_peer WHERE judge ORDER BY id LIMIT 500"
	};

	return db_query(call, &statement, rows, 0, NULL);
}

err_t store_peer_judged(struct call *call, const char *id, const char *reason, long long *n)
{
	static const struct db_statement over = { OF_TENANT("p.id = $3") };
	static const struct db_statement stays = {
		"UPDATE provision.wireguard_peer SET judge = false WHERE tenant_id = $1 AND id = $2"
	};
	const char *params[] = { call->tenant, reason, id };

	if (reason == NULL)
		return DB_QUERY(call, &stays, NULL, call->tenant, id);
	return end(call, &over, n, ARRAY_LEN(params), params);
}
