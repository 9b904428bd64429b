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

/* ---- ends ---- */

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
	"SELECT tenant_id, id FROM rendezvous.pair WHERE state = 'joined' AND NOT ("
	"rendezvous.alive(first_node, joined_at, " NODE_AGE ")"
	" AND rendezvous.alive(second_node, joined_at, " NODE_AGE "))"
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
