/*
 * fabric: discovery through PostgreSQL. One thread of its own with its own connection.
 */
#include "lib/fabric.h"

#include "lib/db.h"
#include "lib/log.h"
#include "lib/metrics.h"
#include "lib/worker.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUND_MS   1000
#define SOON_MS	   100 /* while a call waits for an instance that starts */
#define TIMEOUT_MS 3000

struct fabric {
	struct fabric_options options;
	struct worker *worker;
	struct db *db;
	atomic_bool joined;
	bool told; /* the last state that was told, and whether any was */
	bool well;
};

static struct metric reached = {
	.name = "lanyard_database_reached",
	.help = "Is PostgreSQL there, and does it take writes?",
	.type = METRIC_GAUGE,
};

static const struct db_statement beat = {
	"INSERT INTO fabric.instance (id, service, url, events_url) VALUES ($1, $2, $3, $4)"
	" ON CONFLICT (id) DO UPDATE SET heartbeat_at = now()"
};
static const struct db_statement live = {
	"SELECT id, service, url, events_url FROM fabric.instance"
	" WHERE heartbeat_at > now() - interval '10 seconds' ORDER BY id"
};
static const struct db_statement leave = { "DELETE FROM fabric.instance WHERE id = $1" };

static void copy(char *to, size_t size, const struct db_rows *rows, size_t row, const char *column)
{
	snprintf(to, size, "%s", db_text(rows, row, column));
}

static err_t write_and_read(struct call *call, void *arg)
{
	struct fabric *fabric = arg;
	struct bus *bus = fabric->options.bus;
	struct bus_instance *list;
	AUTO_ROWS rows = NULL;
	err_t err;

	if (atomic_load(&fabric->joined) &&
		(err = DB_QUERY(call, &beat, NULL, bus_self(bus), fabric->options.service,
			 bus_url(bus), bus_events_url(bus))) != OK)
		return err;
	if ((err = db_query(call, &live, &rows, 0, NULL)) != OK)
		return err;
	list = arena_alloc(call->arena, (db_count(rows) + 1) * sizeof(*list));
	for (size_t i = 0; i < db_count(rows); i++) {
		copy(list[i].instance, sizeof(list[i].instance), rows, i, "id");
		copy(list[i].service, sizeof(list[i].service), rows, i, "service");
		copy(list[i].url, sizeof(list[i].url), rows, i, "url");
		copy(list[i].events_url, sizeof(list[i].events_url), rows, i, "events_url");
	}
	bus_set_instances(bus, list, db_count(rows));
	return OK;
}

static err_t remove_self(struct call *call, void *arg)
{
	return DB_QUERY(call, &leave, NULL, bus_self(((struct fabric *)arg)->options.bus));
}

static err_t in_transaction(
	struct fabric *fabric, struct call *call, err_t (*work)(struct call *call, void *arg))
{
	call_init(call, fabric->options.bus, "service:fabric", TIMEOUT_MS);
	return db_transaction(fabric->db, call, work, fabric);
}

static void tell(struct fabric *fabric, err_t err, const char *detail)
{
	bool well = err == OK;

	if (fabric->told && fabric->well == well)
		return;
	if (well)
		log_info("database_reached", "instance=%s", bus_self(fabric->options.bus));
	else
		log_warn("database_away", "error=%s action=\"trying again\"", log_value(detail));
	metric_set(&reached, well);
	fabric->told = true;
	fabric->well = well;
	fabric->options.state(fabric->options.context,
		well ? NULL : "PostgreSQL can't be reached or takes no writes");
}

static int64_t round_trip(void *arg)
{
	struct fabric *fabric = arg;
	struct call call;
	err_t err = in_transaction(fabric, &call, write_and_read);

	tell(fabric, err, call.fault.detail);
	call_finish(&call);
	return bus_is_waiting(fabric->options.bus) ? SOON_MS : ROUND_MS;
}

struct fabric *fabric_start(const struct fabric_options *options)
{
	struct fabric *fabric = xcalloc(1, sizeof(*fabric));

	metric_register(&reached);
	fabric->options = *options;
	fabric->db = db_create(options->database_url, "lanyard-fabric");
	fabric->worker = worker_start(round_trip, fabric);
	return fabric;
}

void fabric_join(struct fabric *fabric)
{
	atomic_store(&fabric->joined, true);
	worker_wake(fabric->worker);
}

void fabric_stop(struct fabric *fabric)
{
	struct call call;

	if (fabric == NULL)
		return;
	worker_stop(fabric->worker);
	if (in_transaction(fabric, &call, remove_self) != OK)
		log_debug("leave_failed", "error=%s", log_value(call.fault.detail));
	call_finish(&call);
	db_destroy(fabric->db);
	free(fabric);
}
