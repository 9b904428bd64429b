/*
 * bus_canary: every 10 s opens, connects and closes a pair of sockets. nng 1.5.2 closes all
 * connections in one thread of its own; should that ever wedge, each closed connection would leak a
 * descriptor for ever. Then this pair can't be closed either, and the process aborts: its
 * supervisor restarts it.
 */
#include "lib/bus_internal.h"

#include "lib/clock.h"
#include "lib/log.h"

#include <nng/protocol/pair0/pair.h>

#include <stdio.h>
#include <time.h>

#define EVERY_S	 10
#define LIMIT_MS 2000

/* One song; guarded by its mutex. */
struct canary {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool done;
};

static void pair_exercise(const void *name)
{
	char url[64];
	nng_socket a, b;

	snprintf(url, sizeof(url), "inproc://canary-%p", name);
	if (nng_pair0_open(&a) != 0)
		return;
	if (nng_pair0_open(&b) == 0) {
		if (nng_listen(a, url, NULL, 0) == 0 && nng_dial(b, url, NULL, 0) != 0)
			log_warn("canary", "what=dial");
		nng_close(b);
	}
	nng_close(a);
}

static void *sing(void *arg)
{
	struct canary *canary = arg;

	pair_exercise(canary);
	pthread_mutex_lock(&canary->mutex);
	canary->done = true;
	pthread_cond_signal(&canary->changed);
	pthread_mutex_unlock(&canary->mutex);
	return NULL;
}

static void *watch(void *arg)
{
	struct canary *canary = arg;
	bool in_time = true;

	for (;;) {
		int64_t limit;

		nanosleep(&(struct timespec){ .tv_sec = EVERY_S }, NULL);
		canary->done = false;
		if (bus_thread(sing, canary) != OK)
			continue;
		limit = clock_ms() + LIMIT_MS;
		pthread_mutex_lock(&canary->mutex);
		while (!canary->done && in_time)
			in_time = bus_cond_wait(&canary->changed, &canary->mutex, limit);
		pthread_mutex_unlock(&canary->mutex);
		if (!in_time)
			BUG("nng closes no more connections");
	}
	return NULL;
}

err_t canary_start(void)
{
	struct canary *canary = xcalloc(1, sizeof(*canary));

	if (pthread_mutex_init(&canary->mutex, NULL) != 0)
		BUG("pthread_mutex_init");
	bus_cond_init(&canary->changed);
	return bus_thread(watch, canary);
}
