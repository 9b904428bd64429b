/* svc_task: what a service does by itself again and again. One thread with its own connection. */
#include "lib/svc_task.h"

#include "lib/clock.h"
#include "lib/erasure.h"
#include "lib/log.h"
#include "lib/worker.h"

#include <stdlib.h>

#define TASKS_MAX     16
#define TIMEOUT_MS    30000
#define PRUNE_EVERY_S 600
#define ERASE_EVERY_S 5

struct svc_tasks {
	struct bus *bus;
	const char *service;
	const struct svc_task *tasks;
	struct db *db;
	struct worker *worker;
	struct db_statement prune;
	struct erasure *erasure;
	int64_t due_ms[TASKS_MAX]; /* of tasks[i] */
	int64_t prune_due_ms, erase_due_ms;
};

struct run {
	struct svc_tasks *tasks;
	const struct svc_task *task;
};

/* One instance at a time does it; the others pass over this turn. */
static const struct db_statement lock = {
	"SELECT pg_try_advisory_xact_lock(hashtext($1), hashtext($2)) AS locked"
};
static const struct db_statement prune_events = { "CALL fabric.prune()" };

static err_t run_locked(struct call *call, void *arg)
{
	struct run *run = arg;
	AUTO_ROWS rows = NULL;
	err_t err = DB_QUERY(call, &lock, &rows, run->tasks->service, run->task->name);

	if (err != OK || !db_bool(rows, 0, "locked"))
		return err;
	return run->task->run(call);
}

static err_t run_prune(struct call *call, void *arg)
{
	struct svc_tasks *tasks = arg;
	err_t err = db_query(call, &tasks->prune, NULL, 0, NULL);

	return err != OK ? err : db_query(call, &prune_events, NULL, 0, NULL);
}

struct erase_run {
	struct erasure *erasure;
	bool more;
};

static err_t run_erasure(struct call *call, void *arg)
{
	struct erase_run *run = arg;

	return erasure_step(run->erasure, call, &run->more);
}

static err_t perform(struct svc_tasks *tasks, const char *name,
	err_t (*work)(struct call *call, void *arg), void *arg)
{
	struct call call;
	err_t err;

	call_init(&call, tasks->bus, "service:task", TIMEOUT_MS);
	call.tenant = CALL_FLEET;
	if ((err = db_transaction(tasks->db, &call, work, arg)) == OK)
		event_ring(&call);
	else
		log_warn("task_failed", "task=%s error=%s detail=%s action=\"trying again later\"",
			name, err_name(err), log_value(call.fault.detail));
	call_finish(&call);
	return err;
}

static void erase_tenants(struct svc_tasks *tasks)
{
	struct erase_run run = { .erasure = tasks->erasure };

	do
		run.more = false;
	while (perform(tasks, "erase", run_erasure, &run) == OK && run.more);
}

static bool is_due(int64_t *due_ms, int64_t now_ms, int every_s, int64_t *next_ms)
{
	bool due = now_ms >= *due_ms;

	if (due)
		*due_ms = now_ms + every_s * (int64_t)1000;
	if (*due_ms < *next_ms)
		*next_ms = *due_ms;
	return due;
}

static int64_t run_due(void *arg)
{
	struct svc_tasks *tasks = arg;
	int64_t now_ms = clock_ms();
	int64_t next_ms = INT64_MAX;

	for (size_t i = 0; tasks->tasks != NULL && tasks->tasks[i].name != NULL; i++) {
		struct run run = { tasks, &tasks->tasks[i] };

		if (i == TASKS_MAX)
			BUG("more than %d tasks", TASKS_MAX);
		if (is_due(&tasks->due_ms[i], now_ms, tasks->tasks[i].every_s, &next_ms))
			(void)perform(tasks, tasks->tasks[i].name, run_locked, &run);
	}
	if (is_due(&tasks->erase_due_ms, now_ms, ERASE_EVERY_S, &next_ms))
		erase_tenants(tasks);
	if (is_due(&tasks->prune_due_ms, now_ms, PRUNE_EVERY_S, &next_ms))
		(void)perform(tasks, "prune", run_prune, tasks);
	return next_ms - now_ms;
}

struct svc_tasks *svc_tasks_start(
	struct bus *bus, const char *database_url, const struct svc_definition *definition)
{
	struct svc_tasks *tasks = xcalloc(1, sizeof(*tasks));

	tasks->bus = bus;
	tasks->service = definition->name;
	tasks->tasks = definition->tasks;
	tasks->db = db_create(database_url, definition->name);
	tasks->erasure = erasure_create(definition->schema, definition->events, definition->erase);
	tasks->prune.sql = xasprintf("DELETE FROM %s.idempotency"
				     " WHERE created_at < now() - interval '1 day'",
		definition->schema);
	tasks->worker = worker_start(run_due, tasks);
	return tasks;
}

void svc_tasks_stop(struct svc_tasks *tasks)
{
	if (tasks == NULL)
		return;
	worker_stop(tasks->worker);
	db_destroy(tasks->db);
	free((void *)(uintptr_t)tasks->prune.sql);
	erasure_destroy(tasks->erasure);
	free(tasks);
}
