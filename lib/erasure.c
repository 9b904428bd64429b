/* erasure: see erasure.h. Runs in the thread of the service's tasks. */
#include "lib/erasure.h"

#include "lib/db.h"
#include "lib/log.h"

#include <stdlib.h>
#include <string.h>

#define BATCH	 "10000" /* rows of a table in one transaction */
#define SETTLE_S "10"	 /* longer than any call that was under way when the tenant went */

struct erasure {
	const char *schema;
	err_t (*erase)(struct call *call);
	char *topics; /* text[] of what the service hears */
	struct db_statement heard;
};

/* One tenant; other instances pass over it. */
static const struct db_statement next_due = {
	"SELECT tenant_id AS tenant, created_at < now() - interval '" SETTLE_S " s' AS settled"
	" FROM fabric.erasure WHERE service = $1"
	" ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED"
};
static const struct db_statement erase_rows = { "SELECT fabric.erase($1, $2, " BATCH ") AS done" };
static const struct db_statement through = {
	"DELETE FROM fabric.erasure WHERE tenant_id = $1 AND service = $2"
};

static char *topics_of(const struct event_route *route)
{
	char *topics = xstrdup("{"), *longer;

	for (; route != NULL && route->topic != NULL; route++) {
		longer = xasprintf("%s%s%s", topics, topics[1] != '\0' ? "," : "", route->topic);
		free(topics);
		topics = longer;
	}
	longer = xasprintf("%s}", topics);
	free(topics);
	return longer;
}

struct erasure *erasure_create(
	const char *schema, const struct event_route *events, err_t (*erase)(struct call *call))
{
	struct erasure *erasure = xcalloc(1, sizeof(*erasure));

	erasure->schema = schema;
	erasure->erase = erase;
	erasure->topics = topics_of(events);
	erasure->heard.sql =
		xasprintf("SELECT NOT EXISTS (SELECT FROM fabric.event, %s.event_cursor AS c"
			  " WHERE tenant_id = $1 AND topic = ANY ($2::text[])"
			  " AND (event.transaction, event.id) > (c.transaction, c.id)) AS heard",
			schema);
	return erasure;
}

void erasure_destroy(struct erasure *erasure)
{
	if (erasure == NULL)
		return;
	free((void *)(uintptr_t)erasure->heard.sql);
	free(erasure->topics);
	free(erasure);
}

/* What the service has still to hear of the tenant could bring rows back. */
static err_t has_heard_all(
	struct erasure *erasure, struct call *call, const char *tenant, bool *heard)
{
	AUTO_ROWS rows = NULL;
	err_t err = DB_QUERY(call, &erasure->heard, &rows, tenant, erasure->topics);

	if (err == OK)
		*heard = db_bool(rows, 0, "heard");
	return err;
}

static err_t erase(struct erasure *erasure, struct call *call, bool *done)
{
	AUTO_ROWS rows = NULL;
	err_t err = erasure->erase != NULL ? erasure->erase(call) : OK;

	if (err != OK ||
		(err = DB_QUERY(call, &erase_rows, &rows, erasure->schema, call->tenant)) != OK)
		return err;
	*done = db_bool(rows, 0, "done");
	return OK;
}

err_t erasure_step(struct erasure *erasure, struct call *call, bool *more)
{
	AUTO_ROWS due = NULL;
	bool heard = false, done = false;
	err_t err = DB_QUERY(call, &next_due, &due, erasure->schema);

	*more = false;
	if (err != OK || db_count(due) == 0)
		return err;
	call->tenant = arena_strdup(call->arena, db_text(due, 0, "tenant"));
	if ((err = has_heard_all(erasure, call, call->tenant, &heard)) != OK ||
		(err = erase(erasure, call, &done)) != OK)
		return err;
	if (!done) {
		*more = true;
		return OK;
	}
	if (!heard || !db_bool(due, 0, "settled"))
		return OK;
	*more = true;
	log_info("tenant_erased", "tenant=%s schema=%s", call->tenant, erasure->schema);
	return DB_QUERY(call, &through, NULL, call->tenant, erasure->schema);
}
