/* later: see later.h. A worker gives all that wait to the crew. */
#include "gateway/later.h"

#include "lib/mem.h"
#include "lib/worker.h"

#include <pthread.h>

#define EVERY_MS 100

struct later {
	struct crew *crew;
	struct worker *ticker;

	pthread_mutex_t mutex; /* guards what follows */
	struct job *waiting;
};

static int64_t tick(void *arg)
{
	struct later *later = arg;
	struct job *job, *next;

	pthread_mutex_lock(&later->mutex);
	job = later->waiting;
	later->waiting = NULL;
	pthread_mutex_unlock(&later->mutex);
	for (; job != NULL; job = next) {
		next = job->next;
		crew_put(later->crew, job);
	}
	return EVERY_MS;
}

struct later *later_start(struct crew *crew)
{
	struct later *later = xcalloc(1, sizeof(*later));

	later->crew = crew;
	pthread_mutex_init(&later->mutex, NULL);
	later->ticker = worker_start(tick, later);
	return later;
}

void later_stop(struct later *later)
{
	if (later == NULL)
		return;
	worker_stop(later->ticker);
	if (later->waiting != NULL)
		BUG("a job was left waiting");
	pthread_mutex_destroy(&later->mutex);
	free(later);
}

void later_put(struct later *later, struct job *job)
{
	pthread_mutex_lock(&later->mutex);
	job->next = later->waiting;
	later->waiting = job;
	pthread_mutex_unlock(&later->mutex);
}
