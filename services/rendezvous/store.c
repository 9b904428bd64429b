/* store: the SQL of pairs. Runs in the thread and the transaction of the call. */
#include "services/rendezvous/store.h"

#include "lib/db.h"

#include <stdint.h>
#include <stdio.h>

#define WAITING_AGE "interval '60 seconds'"
#define NODE_AGE    "interval '60 seconds'"
#define CLOSED_AGE  "interval '1 hour'"
#define BATCH	    "500"

/* The columns of a Rendezvous__Pair. */
#define PAIR                                                                                       \
	"id, nonce, state, first_node, second_node, fabric.rfc3339(created_at) AS created_at,"     \
	" fabric.rfc3339(joined_at) AS joined_at, fabric.rfc3339(closed_at) AS closed_at, "        \
	"version,"                                                                                 \
	" bytes"

/* ---- claims ---- */

static const struct db_statement find_live = {
	"SELECT id, state = 'joined' AS joined, first_node, first_connection, second_node,"
	" second_connection, NOT (rendezvous.alive(first_node)"
	" AND CASE state WHEN 'joined' THEN rendezvous.alive(second_node)"
	" ELSE announced_at > now() - " WAITING_AGE " END) AS stale"
	" FROM rendezvous.pair"
	" WHERE tenant_id = $1 AND token_id = $2 AND nonce = $3 AND state <> 'closed' FOR UPDATE"
};

static struct claim_end end_of(
	struct call *call, const struct db_rows *rows, const char *node, const char *connection)
{
	return (struct claim_end){
		.node = arena_strdup(call->arena, db_text(rows, 0, node)),
		.connection = arena_strdup(call->arena, db_text(rows, 0, connection)),
	};
}

err_t store_find_live(
	struct call *call, const char *token_id, const char *nonce, struct claim_pair **found)
{
	AUTO_ROWS rows = NULL;
	struct claim_pair *pair;
	err_t err;

	if ((err = DB_QUERY(call, &find_live, &rows, call->tenant, token_id, nonce)) != OK)
		return err;
	*found = NULL;
	if (db_count(rows) == 0)
		return OK;
	pair = arena_alloc(call->arena, sizeof(*pair));
	pair->id = arena_strdup(call->arena, db_text(rows, 0, "id"));
	pair->joined = db_bool(rows, 0, "joined");
	pair->stale = db_bool(rows, 0, "stale");
	pair->first = end_of(call, rows, "first_node", "first_connection");
	pair->second = end_of(call, rows, "second_node", "second_connection");
	*found = pair;
	return OK;
}

static const struct db_statement is_full = {
	"SELECT count(*) >= " STORE_WAITING_MAX " AS full FROM ("
	"SELECT FROM rendezvous.pair WHERE tenant_id = $1 AND state = 'waiting'"
	" AND announced_at > now() - " WAITING_AGE " LIMIT " STORE_WAITING_MAX ") waiting"
};
static const struct db_statement token_is_full = {
	"SELECT count(*) >= " STORE_TOKEN_MAX " AS full FROM ("
	"SELECT FROM rendezvous.pair WHERE tenant_id = $1 AND token_id = $2 AND state <> 'closed'"
	" LIMIT " STORE_TOKEN_MAX ") live"
};

err_t store_is_full(struct call *call, bool *full)
{
	AUTO_ROWS rows = NULL;
	err_t err;

	if ((err = DB_QUERY(call, &is_full, &rows, call->tenant)) != OK)
		return err;
	*full = db_bool(rows, 0, "full");
	return OK;
}

err_t store_token_is_full(struct call *call, const char *token_id, bool *full)
{
	AUTO_ROWS rows = NULL;
	err_t err;

	if ((err = DB_QUERY(call, &token_is_full, &rows, call->tenant, token_id)) != OK)
		return err;
	*full = db_bool(rows, 0, "full");
	return OK;
}

static const struct db_statement insert = {
	"INSERT INTO rendezvous.pair (tenant_id, token_id, nonce, first_node, first_connection)"
	" VALUES ($1, $2, $3, $4, $5)"
	" ON CONFLICT (tenant_id, token_id, nonce) WHERE state <> 'closed' DO NOTHING RETURNING id"
};

err_t store_insert(struct call *call, const Rendezvous__ClaimRequest *request, const char **id)
{
	AUTO_ROWS rows = NULL;
	err_t err;

	err = DB_QUERY(call, &insert, &rows, call->tenant, request->token_id, request->nonce,
		request->node, request->connection);
	if (err != OK)
		return err;
	*id = db_count(rows) > 0 ? arena_strdup(call->arena, db_text(rows, 0, "id")) : NULL;
	return OK;
}

static const struct db_statement join = {
	"UPDATE rendezvous.pair SET state = 'joined', joined_at = now(), second_node = $3,"
	" second_connection = $4, version = version + 1 WHERE tenant_id = $1 AND id = $2"
};

err_t store_join(struct call *call, const char *id, const struct claim_end *end)
{
	return DB_QUERY(call, &join, NULL, call->tenant, id, end->node, end->connection);
}

static const struct db_statement announce = {
	"UPDATE rendezvous.pair SET announced_at = now() WHERE tenant_id = $1 AND id = $2"
};

err_t store_announce(struct call *call, const char *id)
{
	return DB_QUERY(call, &announce, NULL, call->tenant, id);
}

/* ---- ends ---- */

/* In this order: while the first waits for the row, a claim may turn waiting into joined. */
static const struct db_statement remove_waiting = {
	"DELETE FROM rendezvous.pair WHERE tenant_id = $1 AND id = $2 AND state = 'waiting'"
	" AND ($3::text IS NULL OR first_connection = $3)"
};
static const struct db_statement close_joined = {
	"UPDATE rendezvous.pair SET state = 'closed', closed_at = now(), version = version + 1"
	" WHERE tenant_id = $1 AND id = $2 AND state = 'joined'"
	" AND ($3::text IS NULL OR $3 IN (first_connection, second_connection))"
};

/* Of the connections of a pair each is released once: so each one's bytes are counted once. */
static const struct db_statement count_pair = {
	"UPDATE rendezvous.pair SET bytes = bytes + $4::bigint WHERE tenant_id = $1 AND id = $2"
	" AND state = 'closed' AND $3 IN (first_connection, second_connection) RETURNING id"
};
static const struct db_statement count_traffic = {
	"INSERT INTO rendezvous.traffic (tenant_id, day, connections, bytes)"
	" VALUES ($1, (now() AT TIME ZONE 'UTC')::date, 1, $2::bigint)"
	" ON CONFLICT (tenant_id, day) DO UPDATE SET connections = traffic.connections + 1,"
	" bytes = traffic.bytes + excluded.bytes"
};

static err_t count_bytes(
	struct call *call, const char *id, const char *connection, unsigned long long bytes)
{
	AUTO_ROWS rows = NULL;
	char text[24];
	err_t err;

	snprintf(text, sizeof(text), "%llu", bytes & INT64_MAX);
	err = DB_QUERY(call, &count_pair, &rows, call->tenant, id, connection, text);
	if (err != OK || db_count(rows) == 0)
		return err;
	return DB_QUERY(call, &count_traffic, NULL, call->tenant, text);
}

static err_t end_pair(struct call *call, const char *id, const char *connection)
{
	err_t err;

	if ((err = DB_QUERY(call, &remove_waiting, NULL, call->tenant, id, connection)) != OK)
		return err;
	return DB_QUERY(call, &close_joined, NULL, call->tenant, id, connection);
}

err_t store_release(
	struct call *call, const char *id, const char *connection, unsigned long long bytes)
{
	err_t err = end_pair(call, id, connection);

	return err == OK ? count_bytes(call, id, connection, bytes) : err;
}

err_t store_end(struct call *call, const char *id)
{
	return end_pair(call, id, NULL);
}

static const struct db_statement close_live = {
	"UPDATE rendezvous.pair SET state = 'closed', closed_at = now(), version = version + 1"
	" WHERE tenant_id = $1 AND id = $2 RETURNING " PAIR
};

err_t store_close(struct call *call, const char *id, Rendezvous__Pair *pair)
{
	return db_one(call, &close_live, &pair->base, "pair", 2,
		(const char *const[]){ call->tenant, id });
}

/* ---- reading ---- */

static const struct db_statement get = { "SELECT " PAIR
					 " FROM rendezvous.pair WHERE tenant_id = $1 AND id = $2" };
static const struct db_statement get_locked = {
	"SELECT " PAIR " FROM rendezvous.pair WHERE tenant_id = $1 AND id = $2 FOR UPDATE"
};

err_t store_get(struct call *call, const char *id, Rendezvous__Pair *pair)
{
	return db_one(
		call, &get, &pair->base, "pair", 2, (const char *const[]){ call->tenant, id });
}

err_t store_get_locked(struct call *call, const char *id, Rendezvous__Pair *pair)
{
	return db_one(call, &get_locked, &pair->base, "pair", 2,
		(const char *const[]){ call->tenant, id });
}

static const struct db_statement list_pairs = {
	"SELECT " PAIR " FROM rendezvous.pair WHERE tenant_id = $1"
	" AND id > coalesce(nullif($2, '')::uuid, '00000000-0000-0000-0000-000000000000')"
	" AND ($3 = '' OR state = $3) ORDER BY pair.id LIMIT $4::bigint"
};

err_t store_list(
	struct call *call, const Rendezvous__ListRequest *request, Rendezvous__PairList *list)
{
	char limit[16];

	snprintf(limit, sizeof(limit), "%u", db_page_limit(request->limit) + 1);
	return db_page(call, &list_pairs, &list->base, request->limit, 4,
		(const char *const[]){ call->tenant, request->cursor, request->state, limit });
}

static const struct db_statement list_traffic = {
	"SELECT day::text AS day, connections, bytes FROM rendezvous.traffic WHERE tenant_id = $1"
	" AND day > (now() AT TIME ZONE 'UTC')::date - $2::int ORDER BY day DESC"
};

err_t store_list_traffic(struct call *call, unsigned days, Rendezvous__TrafficList *list)
{
	AUTO_ROWS rows = NULL;
	char text[16];
	err_t err;

	snprintf(text, sizeof(text), "%u", days);
	if ((err = DB_QUERY(call, &list_traffic, &rows, call->tenant, text)) != OK)
		return err;
	list->n_items = db_count(rows);
	list->items = arena_alloc(call->arena, (list->n_items + 1) * sizeof(*list->items));
	for (size_t i = 0; i < list->n_items; i++) {
		list->items[i] = arena_alloc(call->arena, sizeof(*list->items[i]));
		rendezvous__traffic__init(list->items[i]);
		db_message(rows, i, call->arena, &list->items[i]->base);
	}
	return OK;
}

/* ---- the whole fleet ---- */

static const struct db_statement expire = {
	"DELETE FROM rendezvous.pair WHERE (tenant_id, id) IN ("
	"SELECT tenant_id, id FROM rendezvous.pair WHERE state = 'waiting'"
	" AND announced_at < now() - " WAITING_AGE " ORDER BY announced_at LIMIT " BATCH
	" FOR UPDATE SKIP LOCKED) RETURNING tenant_id, id"
};
static const struct db_statement abandon = {
	"UPDATE rendezvous.pair SET state = 'closed', closed_at = now(), version = version + 1"
	" WHERE (tenant_id, id) IN ("
	"SELECT tenant_id, id FROM rendezvous.pair WHERE state = 'joined' AND ("
	"SELECT count(*) FROM fabric.instance WHERE id IN (first_node, second_node)"
	" AND heartbeat_at > now() - " NODE_AGE
	") < CASE WHEN first_node = second_node THEN 1 ELSE 2 END"
	" LIMIT " BATCH " FOR UPDATE SKIP LOCKED) RETURNING tenant_id, id"
};
static const struct db_statement forget = {
	"DELETE FROM rendezvous.pair WHERE state = 'closed' AND closed_at < now() - " CLOSED_AGE
};

static err_t end_all(struct call *call, const struct db_statement *statement,
	struct store_ended **ended, size_t *n)
{
	AUTO_ROWS rows = NULL;
	struct store_ended *list;
	err_t err;

	if ((err = db_query(call, statement, &rows, 0, NULL)) != OK)
		return err;
	list = arena_alloc(call->arena, db_count(rows) * sizeof(*list));
	for (size_t i = 0; i < db_count(rows); i++) {
		list[i].tenant = arena_strdup(call->arena, db_text(rows, i, "tenant_id"));
		list[i].id = arena_strdup(call->arena, db_text(rows, i, "id"));
	}
	*ended = list;
	*n = db_count(rows);
	return OK;
}

err_t store_expire(struct call *call, struct store_ended **ended, size_t *n)
{
	return end_all(call, &expire, ended, n);
}

err_t store_abandon(struct call *call, struct store_ended **ended, size_t *n)
{
	return end_all(call, &abandon, ended, n);
}

err_t store_forget(struct call *call)
{
	return db_query(call, &forget, NULL, 0, NULL);
}
