/*
 * store_claim: see store_claim.h. A batch goes as arrays, which unnest makes rows of. Rows are
 * locked in the order of their ids, and added in that of token and nonce, so that batches do not
 * wait for each other in a circle.
 */
#include "services/rendezvous/store_claim.h"

#include "lib/db.h"

#include <stdint.h>
#include <string.h>

#define WAITING_AGE "interval '60 seconds'"
#define NODE_AGE    "interval '10 seconds'"

static const struct db_statement hurry = { "SELECT set_config('synchronous_commit', 'off', true)" };

err_t store_hurry(struct call *call)
{
	return db_query(call, &hurry, NULL, 0, NULL);
}

/* ---- arrays of spots ---- */

/* A column of the spots that are chosen. */
struct column {
	char **texts;
	size_t n;
};

static struct column column_new(struct call *call, size_t n)
{
	return (struct column){ arena_alloc(call->arena, (n + 1) * sizeof(char *)), 0 };
}

static void column_add(struct column *column, const char *text)
{
	column->texts[column->n++] = (char *)(uintptr_t)text;
}

static const char *column_array(struct call *call, const struct column *column)
{
	return db_array(call->arena, column->n, column->texts);
}

static void add_keys(struct column *tokens, struct column *nonces, const struct claim_spot *spot)
{
	column_add(tokens, spot->token_id);
	column_add(nonces, spot->nonce);
}

static struct claim_spot *spot_of_row(
	struct claim_spot *spots, size_t n, const struct db_rows *rows, size_t row)
{
	struct claim_spot *spot = claim_spot_find(
		spots, n, db_text(rows, row, "token_id"), db_text(rows, row, "nonce"));

	if (spot == NULL)
		BUG("a pair of a token that was not asked for");
	return spot;
}

/* ---- claims ---- */

static const struct db_statement find_live = {
	"SELECT id, token_id, nonce, state = 'joined' AS joined, first_node, first_connection,"
	" second_node, second_connection, NOT CASE state"
	" WHEN 'joined' THEN rendezvous.alive(first_node, joined_at, " NODE_AGE ")"
	" AND rendezvous.alive(second_node, joined_at, " NODE_AGE ")"
	" ELSE rendezvous.alive(first_node, announced_at, " NODE_AGE ")"
	" AND announced_at > now() - " WAITING_AGE " END AS stale"
	" FROM rendezvous.pair JOIN unnest($2::text[], $3::text[]) AS asked (token_id, nonce)"
	" USING (token_id, nonce) WHERE tenant_id = $1 AND state <> 'closed'"
	" ORDER BY id FOR UPDATE OF pair"
};

static struct claim_end end_of(struct call *call, const struct db_rows *rows, size_t row,
	const char *node, const char *connection)
{
	return (struct claim_end){
		.node = arena_strdup(call->arena, db_text(rows, row, node)),
		.connection = arena_strdup(call->arena, db_text(rows, row, connection)),
	};
}

static struct claim_pair *read_pair(struct call *call, const struct db_rows *rows, size_t row)
{
	struct claim_pair *pair = arena_alloc(call->arena, sizeof(*pair));

	pair->id = arena_strdup(call->arena, db_text(rows, row, "id"));
	pair->joined = db_bool(rows, row, "joined");
	pair->stale = db_bool(rows, row, "stale");
	pair->first = end_of(call, rows, row, "first_node", "first_connection");
	pair->second = end_of(call, rows, row, "second_node", "second_connection");
	return pair;
}

err_t store_find_live(struct call *call, struct claim_spot *spots, size_t n)
{
	struct column tokens = column_new(call, n), nonces = column_new(call, n);
	AUTO_ROWS rows = NULL;
	err_t err;

	for (size_t i = 0; i < n; i++)
		add_keys(&tokens, &nonces, &spots[i]);
	err = DB_QUERY(call, &find_live, &rows, call->tenant, column_array(call, &tokens),
		column_array(call, &nonces));
	for (size_t row = 0; err == OK && row < db_count(rows); row++)
		spot_of_row(spots, n, rows, row)->pair = read_pair(call, rows, row);
	return err;
}

static const struct db_statement tenant_room = {
	"SELECT " STORE_WAITING_MAX " - count(*) AS room FROM ("
	"SELECT FROM rendezvous.pair WHERE tenant_id = $1 AND state = 'waiting'"
	" AND announced_at > now() - " WAITING_AGE " LIMIT " STORE_WAITING_MAX ") waiting"
};
static const struct db_statement token_room = {
	"SELECT token_id, " STORE_TOKEN_MAX " - (SELECT count(*) FROM ("
	"SELECT FROM rendezvous.pair WHERE tenant_id = $1 AND pair.token_id = asked.token_id"
	" AND state <> 'closed' LIMIT " STORE_TOKEN_MAX ") live) AS room"
	" FROM unnest($2::text[]) AS asked (token_id)"
};

err_t store_room(struct call *call, struct claim_spot *spots, size_t n, long *room)
{
	struct column tokens = column_new(call, n);
	AUTO_ROWS rows = NULL;
	err_t err;

	if ((err = DB_QUERY(call, &tenant_room, &rows, call->tenant)) != OK)
		return err;
	*room = (long)db_int(rows, 0, "room");
	for (size_t i = 0; i < n; i++)
		if (i == 0 || strcmp(spots[i - 1].token_id, spots[i].token_id) != 0)
			column_add(&tokens, spots[i].token_id);
	err = DB_QUERY(call, &token_room, &rows, call->tenant, column_array(call, &tokens));
	for (size_t row = 0; err == OK && row < db_count(rows); row++)
		for (size_t i = 0; i < n; i++)
			if (strcmp(spots[i].token_id, db_text(rows, row, "token_id")) == 0)
				spots[i].token_room = (long)db_int(rows, row, "room");
	return err;
}

static const struct db_statement remove_stale = {
	"DELETE FROM rendezvous.pair WHERE tenant_id = $1 AND id = ANY($2::uuid[])"
	" AND state = 'waiting'"
};
static const struct db_statement close_stale = {
	"UPDATE rendezvous.pair SET state = 'closed', closed_at = now(), version = version + 1"
	" WHERE tenant_id = $1 AND id = ANY($2::uuid[]) AND state = 'joined'"
};

err_t store_end_stale(struct call *call, const struct claim_spot *spots, size_t n)
{
	struct column ids = column_new(call, n);
	const char *array;
	err_t err;

	for (size_t i = 0; i < n; i++)
		if (spots[i].ended != NULL)
			column_add(&ids, spots[i].ended);
	if (ids.n == 0)
		return OK;
	array = column_array(call, &ids);
	if ((err = DB_QUERY(call, &remove_stale, NULL, call->tenant, array)) != OK)
		return err;
	return DB_QUERY(call, &close_stale, NULL, call->tenant, array);
}

/* Two clients of one batch may be a whole pair. */
static const struct db_statement insert = {
	"INSERT INTO rendezvous.pair (tenant_id, token_id, nonce, first_node, first_connection,"
	" state, joined_at, second_node, second_connection, version)"
	" SELECT $1::uuid, token_id, nonce, $2::uuid, first, CASE second WHEN '' THEN 'waiting'"
	" ELSE 'joined' END, CASE second WHEN '' THEN NULL ELSE now() END,"
	" CASE second WHEN '' THEN NULL ELSE $2::uuid END, nullif(second, ''),"
	" CASE second WHEN '' THEN 1 ELSE 2 END"
	" FROM unnest($3::text[], $4::text[], $5::text[], $6::text[])"
	" WITH ORDINALITY AS new (token_id, nonce, first, second, place) ORDER BY place"
	" ON CONFLICT (tenant_id, token_id, nonce) WHERE state <> 'closed' DO NOTHING"
	" RETURNING id, token_id, nonce"
};

err_t store_insert(struct call *call, const char *node, struct claim_spot *spots, size_t n)
{
	struct column tokens = column_new(call, n), nonces = column_new(call, n);
	struct column firsts = column_new(call, n), seconds = column_new(call, n);
	AUTO_ROWS rows = NULL;
	err_t err;

	for (size_t i = 0; i < n; i++) {
		spots[i].lost = spots[i].is_new;
		if (!spots[i].is_new)
			continue;
		add_keys(&tokens, &nonces, &spots[i]);
		column_add(&firsts, spots[i].pair->first.connection);
		column_add(&seconds, spots[i].pair->second.connection);
	}
	if (tokens.n == 0)
		return OK;
	err = DB_QUERY(call, &insert, &rows, call->tenant, node, column_array(call, &tokens),
		column_array(call, &nonces), column_array(call, &firsts),
		column_array(call, &seconds));
	for (size_t row = 0; err == OK && row < db_count(rows); row++) {
		struct claim_spot *spot = spot_of_row(spots, n, rows, row);

		spot->lost = false;
		spot->pair->id = arena_strdup(call->arena, db_text(rows, row, "id"));
	}
	return err;
}

static const struct db_statement join = {
	"UPDATE rendezvous.pair SET state = 'joined', joined_at = now(), second_node = $2,"
	" second_connection = connection, version = version + 1"
	" FROM unnest($3::uuid[], $4::text[]) AS joining (pair_id, connection)"
	" WHERE tenant_id = $1 AND id = pair_id"
};

err_t store_join(struct call *call, const char *node, const struct claim_spot *spots, size_t n)
{
	struct column ids = column_new(call, n), connections = column_new(call, n);

	for (size_t i = 0; i < n; i++)
		if (spots[i].joins && !spots[i].is_new) {
			column_add(&ids, spots[i].pair->id);
			column_add(&connections, spots[i].pair->second.connection);
		}
	if (ids.n == 0)
		return OK;
	return DB_QUERY(call, &join, NULL, call->tenant, node, column_array(call, &ids),
		column_array(call, &connections));
}

static const struct db_statement announce = { "UPDATE rendezvous.pair SET announced_at = now()"
					      " WHERE tenant_id = $1 AND id = ANY($2::uuid[])" };

err_t store_announce(struct call *call, const struct claim_spot *spots, size_t n)
{
	struct column ids = column_new(call, n);

	for (size_t i = 0; i < n; i++)
		if (spots[i].announces && !spots[i].is_new)
			column_add(&ids, spots[i].pair->id);
	return ids.n == 0 ? OK
			  : DB_QUERY(call, &announce, NULL, call->tenant, column_array(call, &ids));
}

/* ---- releases ---- */

#define RELEASED "unnest($2::uuid[], $3::text[]) AS released (pair_id, connection)"

static const struct db_statement lock_released = {
	"SELECT FROM rendezvous.pair WHERE tenant_id = $1 AND id = ANY($2::uuid[])"
	" ORDER BY id FOR UPDATE"
};
static const struct db_statement remove_waiting = {
	"DELETE FROM rendezvous.pair USING " RELEASED
	" WHERE tenant_id = $1 AND id = pair_id AND state = 'waiting'"
	" AND first_connection = connection"
};
static const struct db_statement close_joined = {
	"UPDATE rendezvous.pair SET state = 'closed', closed_at = now(), version = version + 1"
	" FROM " RELEASED " WHERE tenant_id = $1 AND id = pair_id AND state = 'joined'"
	" AND connection IN (first_connection, second_connection)"
};

/* Clients tell what they have sent in all, so that it does not matter how often they do. */
#define COUNT_BYTES(connections)                                                                   \
	"WITH sent AS (SELECT id, bytes AS before, count(*) AS connections,"                       \
	" max(sent) FILTER (WHERE connection = first_connection) AS first,"                        \
	" max(sent) FILTER (WHERE connection = second_connection) AS second"                       \
	" FROM rendezvous.pair JOIN unnest($2::uuid[], $3::text[], $4::bigint[])"                  \
	" AS released (pair_id, connection, sent) ON id = pair_id WHERE tenant_id = $1"            \
	" AND state <> 'waiting' AND connection IN (first_connection, second_connection)"          \
	" GROUP BY tenant_id, id),"                                                                \
	" counted AS (UPDATE rendezvous.pair SET first_bytes = greatest(first_bytes, first),"      \
	" second_bytes = greatest(second_bytes, second),"                                          \
	" bytes = greatest(first_bytes, first) + greatest(second_bytes, second)"                   \
	" FROM sent WHERE tenant_id = $1 AND pair.id = sent.id"                                    \
	" RETURNING connections, bytes - before AS sent)"                                          \
	" INSERT INTO rendezvous.traffic (tenant_id, day, connections, bytes)"                     \
	" SELECT $1, (now() AT TIME ZONE 'UTC')::date, " connections ", sum(sent) FROM counted"    \
	" HAVING count(*) > 0"                                                                     \
	" ON CONFLICT (tenant_id, day) DO UPDATE SET connections = traffic.connections"            \
	" + excluded.connections, bytes = traffic.bytes + excluded.bytes"

static const struct db_statement count_ended = { COUNT_BYTES("sum(connections)") };
static const struct db_statement count_living = { COUNT_BYTES("0") };

/* Their rows as columns; locks the pairs. */
struct released {
	const char *pairs, *connections, *bytes;
};

static err_t lock_pairs(
	struct call *call, const Rendezvous__ReleaseRequest *request, struct released *released)
{
	struct column pairs = column_new(call, request->n_released);
	struct column connections = column_new(call, request->n_released);
	struct column bytes = column_new(call, request->n_released);

	for (size_t i = 0; i < request->n_released; i++) {
		const Rendezvous__Released *one = request->released[i];

		column_add(&pairs, one->pair);
		column_add(&connections, one->connection);
		column_add(&bytes, arena_printf(call->arena, "%llu",
					   (unsigned long long)one->bytes & INT64_MAX));
	}
	*released = (struct released){ column_array(call, &pairs), column_array(call, &connections),
		column_array(call, &bytes) };
	return DB_QUERY(call, &lock_released, NULL, call->tenant, released->pairs);
}

err_t store_release(struct call *call, const Rendezvous__ReleaseRequest *request)
{
	struct released released;
	err_t err;

	if ((err = lock_pairs(call, request, &released)) != OK ||
		(err = DB_QUERY(call, &remove_waiting, NULL, call->tenant, released.pairs,
			 released.connections)) != OK ||
		(err = DB_QUERY(call, &close_joined, NULL, call->tenant, released.pairs,
			 released.connections)) != OK)
		return err;
	return DB_QUERY(call, &count_ended, NULL, call->tenant, released.pairs,
		released.connections, released.bytes);
}

err_t store_count(struct call *call, const Rendezvous__ReleaseRequest *request)
{
	struct released released;
	err_t err = lock_pairs(call, request, &released);

	if (err != OK)
		return err;
	return DB_QUERY(call, &count_living, NULL, call->tenant, released.pairs,
		released.connections, released.bytes);
}
