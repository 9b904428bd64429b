/*
 * event: the outbox in PostgreSQL and its readers. event_publish runs in the thread of the call;
 * each consumer has one thread.
 */
#include "lib/event.h"

#include "lib/bus.h"
#include "lib/db.h"
#include "lib/log.h"
#include "lib/worker.h"

#include <sodium.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POLL_MS	   2000
#define RETRY_MS   1000
#define BATCH_TEXT "50"
#define BATCH	   50
#define TIMEOUT_MS 10000
#define TOPICS_MAX 256

struct event_ring {
	struct event_ring *next; /* call.rings */
	const char *topic;
};

struct event_consumer {
	struct event_consumer_options options;
	struct worker *worker;
	struct db *db;
	char *topics;			/* text[] of the routes' topics */
	struct db_statement lock, move; /* of the schema's event_cursor */
	char transaction[24]; /* the cursor: a recent consumer's truth, a durable one's copy */
	char id[24];
	bool placed; /* a recent consumer has found its start */
	bool full;   /* the last batch was a full one, so more may follow */
	bool failing;
};

static const struct db_statement insert = {
	"INSERT INTO fabric.event (topic, tenant_id, body)"
	" VALUES ($1, nullif($2, '*')::uuid, decode($3, 'hex'))"
};

/* The last event that is too old to matter. */
static const struct db_statement recent_start = {
	"SELECT transaction::text AS transaction, id FROM fabric.event"
	" WHERE created_at < now() - make_interval(secs => $1::int)"
	" ORDER BY event.transaction DESC, event.id DESC LIMIT 1"
};

/* Nothing of a transaction that is younger than one still open, so that no event is passed over. */
static const struct db_statement next_events = {
	"SELECT transaction::text AS transaction, id, topic, coalesce(tenant_id::text, '*') AS "
	"tenant,"
	" encode(body, 'hex') AS body"
	" FROM fabric.event"
	" WHERE (transaction, id) > ($1::xid8, $2::bigint)"
	" AND transaction < pg_snapshot_xmin(pg_current_snapshot()) AND topic = ANY($3::text[])"
	" ORDER BY event.transaction, event.id LIMIT " BATCH_TEXT
};

/* ---- publishing ---- */

void event_doorbell(struct call *call, const char *topic)
{
	struct event_ring *ring;

	for (ring = call->rings; ring != NULL; ring = ring->next)
		if (strcmp(ring->topic, topic) == 0)
			return;
	ring = arena_alloc(call->arena, sizeof(*ring));
	ring->topic = topic;
	ring->next = call->rings;
	call->rings = ring;
}

err_t event_publish(struct call *call, const char *topic, const ProtobufCMessage *message)
{
	size_t len = protobuf_c_message_get_packed_size(message);
	uint8_t *packed = arena_alloc(call->arena, len + 1);
	char *hex = arena_alloc(call->arena, len * 2 + 1);

	protobuf_c_message_pack(message, packed);
	sodium_bin2hex(hex, len * 2 + 1, packed, len);
	event_doorbell(call, topic);
	return DB_QUERY(call, &insert, NULL, topic, call->tenant, hex);
}

void event_ring(struct call *call)
{
	for (struct event_ring *ring = call->rings; ring != NULL; ring = ring->next)
		bus_ring(call->bus, ring->topic);
	call->rings = NULL;
}

/* ---- consuming ---- */

static const struct event_route *route_of(const struct event_consumer *consumer, const char *topic)
{
	const struct event_route *route = consumer->options.routes;

	while (route->topic != NULL && strcmp(route->topic, topic) != 0)
		route++;
	return route->topic != NULL ? route : NULL;
}

static ProtobufCMessage *unpack(const struct event_route *route, const char *hex)
{
	size_t len = strlen(hex) / 2, n = 0;
	AUTO_FREE uint8_t *packed = xmalloc(len + 1);

	if (sodium_hex2bin(packed, len + 1, hex, strlen(hex), NULL, &n, NULL) != 0)
		return NULL;
	return protobuf_c_message_unpack(route->descriptor, NULL, n, packed);
}

static err_t apply(
	struct event_consumer *consumer, struct call *call, const struct db_rows *rows, size_t i)
{
	const struct event_route *route = route_of(consumer, db_text(rows, i, "topic"));
	ProtobufCMessage *message;
	err_t err;

	message = unpack(route, db_text(rows, i, "body"));
	if (message == NULL) {
		log_error("event_unreadable", "id=%s topic=%s action=\"passed over\"",
			db_text(rows, i, "id"), route->topic);
		return OK;
	}
	call->tenant = arena_strdup(call->arena, db_text(rows, i, "tenant"));
	err = route->apply(call, message);
	protobuf_c_message_free_unpacked(message, NULL);
	return err;
}

static void place(struct event_consumer *consumer, const struct db_rows *rows, size_t i)
{
	snprintf(consumer->transaction, sizeof(consumer->transaction), "%s",
		db_text(rows, i, "transaction"));
	snprintf(consumer->id, sizeof(consumer->id), "%s", db_text(rows, i, "id"));
}

static err_t fetch(struct event_consumer *consumer, struct call *call, struct db_rows **rows)
{
	return DB_QUERY(
		call, &next_events, rows, consumer->transaction, consumer->id, consumer->topics);
}

/* One batch of a durable consumer: apply and move the cursor, all in one transaction. */
static err_t durable_batch(struct call *call, void *arg)
{
	struct event_consumer *consumer = arg;
	AUTO_ROWS rows = NULL;
	AUTO_ROWS cursor = NULL;
	err_t err;

	if ((err = db_query(call, &consumer->lock, &cursor, 0, NULL)) != OK)
		return err;
	if (db_count(cursor) == 0)
		return OK; /* another instance is at it */
	place(consumer, cursor, 0);
	if ((err = fetch(consumer, call, &rows)) != OK)
		return err;
	for (size_t i = 0; i < db_count(rows); i++)
		if ((err = apply(consumer, call, rows, i)) != OK)
			return err;
	if (db_count(rows) == 0)
		return OK;
	place(consumer, rows, db_count(rows) - 1);
	consumer->full = db_count(rows) == BATCH;
	return DB_QUERY(call, &consumer->move, NULL, consumer->transaction, consumer->id);
}

struct recent {
	struct event_consumer *consumer;
	struct db_rows *rows;
};

static err_t recent_fetch(struct call *call, void *arg)
{
	struct recent *recent = arg;
	struct event_consumer *consumer = recent->consumer;
	char seconds[16];
	AUTO_ROWS start = NULL;
	err_t err;

	if (!consumer->placed) {
		snprintf(seconds, sizeof(seconds), "%d", EVENT_RECENT_S);
		if ((err = DB_QUERY(call, &recent_start, &start, seconds)) != OK)
			return err;
		if (db_count(start) > 0)
			place(consumer, start, 0);
		consumer->placed = true;
	}
	return fetch(consumer, call, &recent->rows);
}

/* One batch of a recent consumer: what it changes is in memory, so nothing can be rolled back. */
static err_t recent_batch(struct event_consumer *consumer, struct call *call)
{
	struct recent recent = { consumer, NULL };
	err_t err;

	err = db_transaction(consumer->db, call, recent_fetch, &recent);
	for (size_t i = 0; err == OK && i < db_count(recent.rows); i++)
		if ((err = apply(consumer, call, recent.rows, i)) == OK)
			place(consumer, recent.rows, i);
	consumer->full = err == OK && db_count(recent.rows) == BATCH;
	db_rows_destroy_at(&recent.rows);
	return err;
}

static err_t next_batch(struct event_consumer *consumer, struct call *call)
{
	err_t err;

	if (consumer->options.schema == NULL)
		return recent_batch(consumer, call);
	consumer->full = false;
	if ((err = db_transaction(consumer->db, call, durable_batch, consumer)) == OK)
		event_ring(call);
	return err;
}

static int64_t follow(void *arg)
{
	struct event_consumer *consumer = arg;
	struct call call;
	err_t err;

	do {
		call_init(&call, consumer->options.bus, "service:event", TIMEOUT_MS);
		call.tenant = CALL_FLEET;
		err = next_batch(consumer, &call);
		if (err != OK && !consumer->failing)
			log_warn("events_wait", "error=%s detail=%s action=\"trying again\"",
				err_name(err), log_value(call.fault.detail));
		else if (err == OK && consumer->failing)
			log_info("events_go_on", "service=%s", consumer->options.service);
		consumer->failing = err != OK;
		call_finish(&call);
	} while (err == OK && consumer->full);
	return err == OK ? POLL_MS : RETRY_MS;
}

static void heard(void *context, const char *topic)
{
	struct event_consumer *consumer = context;

	if (route_of(consumer, topic) != NULL)
		worker_wake(consumer->worker);
}

static char *topics_of(const struct event_route *routes)
{
	char text[TOPICS_MAX] = "{";

	for (const struct event_route *route = routes; route->topic != NULL; route++) {
		size_t len = strlen(text);

		snprintf(text + len, sizeof(text) - len, "%s%s", len > 1 ? "," : "", route->topic);
	}
	return xasprintf("%s}", text);
}

struct event_consumer *event_consumer_start(const struct event_consumer_options *options)
{
	struct event_consumer *consumer = xcalloc(1, sizeof(*consumer));

	consumer->options = *options;
	consumer->db = db_create(options->database_url, "lanyard-events");
	consumer->topics = topics_of(options->routes);
	if (options->schema != NULL) {
		consumer->lock.sql = xasprintf("SELECT transaction::text AS transaction, id"
					       " FROM %s.event_cursor FOR UPDATE SKIP LOCKED",
			options->schema);
		consumer->move.sql = xasprintf("UPDATE %s.event_cursor SET transaction = $1::xid8,"
					       " id = $2::bigint",
			options->schema);
	}
	strcpy(consumer->transaction, "0");
	strcpy(consumer->id, "0");
	consumer->worker = worker_start(follow, consumer);
	bus_on_doorbell(options->bus, heard, consumer);
	return consumer;
}

void event_consumer_stop(struct event_consumer *consumer)
{
	if (consumer == NULL)
		return;
	bus_off_doorbell(consumer->options.bus, consumer);
	worker_stop(consumer->worker);
	db_destroy(consumer->db);
	free((void *)(uintptr_t)consumer->lock.sql);
	free((void *)(uintptr_t)consumer->move.sql);
	free(consumer->topics);
	free(consumer);
}
