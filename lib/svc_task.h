/*
 * svc_task: the thread that runs a service's background tasks, and those that every service has.
 * For svc only.
 */
#pragma once

#include "lib/svc.h"

struct svc_tasks;

/* Also without tasks of its own: old idempotency rows and events are pruned, and tenants that are
 * gone are erased. All are kept. */
struct svc_tasks *svc_tasks_start(
	struct bus *bus, const char *database_url, const struct svc_definition *definition);
void svc_tasks_stop(struct svc_tasks *tasks); /* NULL is fine */
