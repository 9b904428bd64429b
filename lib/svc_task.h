/*
 * svc_task: the thread that runs a service's background tasks, and those that every service has.
 * For svc only.
 */
#pragma once

#include "lib/svc.h"

struct svc_tasks;

/* `tasks` may be NULL: old idempotency rows and events are pruned all the same. All are kept. */
struct svc_tasks *svc_tasks_start(struct bus *bus, const char *database_url, const char *service,
	const char *schema, const struct svc_task *tasks);
void svc_tasks_stop(struct svc_tasks *tasks); /* NULL is fine */
