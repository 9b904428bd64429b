/* worker: the thread, its sleep and its wake-up. */
#include "lib/worker.h"

#include "lib/mem.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

struct worker {
	int64_t (*work)(void *arg);
	void *arg;
	pthread_t thread;
	pthread_mutex_t mutex; /* guards what follows */
	pthread_cond_t cond;
	bool woken;
	bool stopping;
};

/* Sleeps until the time is over, a wake-up or the stop; false for the stop. */
static bool worker_sleep(struct worker *worker, int64_t ms)
{
	struct timespec until;
	bool go_on;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&worker->mutex);
	while (!worker->woken && !worker->stopping)
		if (pthread_cond_timedwait(&worker->cond, &worker->mutex, &until) == ETIMEDOUT)
			break;
	worker->woken = false;
	go_on = !worker->stopping;
	pthread_mutex_unlock(&worker->mutex);
	return go_on;
}

static void *run(void *arg)
{
	struct worker *worker = arg;

	while (worker_sleep(worker, worker->work(worker->arg)))
		;
	return NULL;
}

struct worker *worker_start(int64_t (*work)(void *arg), void *arg)
{
	struct worker *worker = xcalloc(1, sizeof(*worker));
	pthread_condattr_t monotonic;

	worker->work = work;
	worker->arg = arg;
	pthread_mutex_init(&worker->mutex, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&worker->cond, &monotonic);
	pthread_condattr_destroy(&monotonic);
	if (pthread_create(&worker->thread, NULL, run, worker) != 0)
		BUG("can't start a thread");
	return worker;
}

void worker_wake(struct worker *worker)
{
	pthread_mutex_lock(&worker->mutex);
	worker->woken = true;
	pthread_cond_signal(&worker->cond);
	pthread_mutex_unlock(&worker->mutex);
}

void worker_stop(struct worker *worker)
{
	if (worker == NULL)
		return;
	pthread_mutex_lock(&worker->mutex);
	worker->stopping = true;
	pthread_cond_signal(&worker->cond);
	pthread_mutex_unlock(&worker->mutex);
	pthread_join(worker->thread, NULL);
	pthread_cond_destroy(&worker->cond);
	pthread_mutex_destroy(&worker->mutex);
	free(worker);
}
