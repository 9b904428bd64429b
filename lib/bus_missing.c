/*
 * bus_missing: services that no instance answers for. A call that nobody took waits for one that
 * starts, as long as a restart takes; if none has come by then, calls are refused at once until one
 * is there, so that those who ask do not all wait for a service that is gone.
 *
 * Called by lib/bus_call in the callers' threads, and by bus_set_instances.
 */
#include "lib/bus_internal.h"

#include "lib/clock.h"

#include <string.h>

#define RESTART_MS 5000 /* a service that is missing for longer is not only restarted */
#define PAUSE_MS   100	/* until those who are known are asked again */
#define ANSWER_MS  250	/* left of a call's time, to say that nobody came */

/* The place of the service, or a free one. The mutex is held. */
static struct missing *find(struct bus *bus, const char *service)
{
	struct missing *vacant = NULL;

	for (size_t i = 0; i < BUS_MISSING_MAX; i++) {
		struct missing *missing = &bus->missing[i];

		if (missing->service == NULL)
			vacant = missing;
		else if (strcmp(missing->service, service) == 0)
			return missing;
	}
	return vacant;
}

/* Until when to wait for the service, which is missing from now on if it was not. */
static int64_t wait_limit(struct bus *bus, const char *service, int64_t deadline_ms)
{
	struct missing *missing = find(bus, service);
	int64_t until;

	if (missing == NULL)
		BUG("more than %d services", BUS_MISSING_MAX);
	if (missing->service == NULL)
		*missing = (struct missing){ service, clock_ms() };
	until = missing->since_ms + RESTART_MS;
	return until < deadline_ms - ANSWER_MS ? until : deadline_ms - ANSWER_MS;
}

bool missing_wait(struct bus *bus, const char *service, int64_t deadline_ms)
{
	int64_t now = clock_ms();
	int64_t until;

	pthread_mutex_lock(&bus->mutex);
	until = wait_limit(bus, service, deadline_ms);
	if (now < until) {
		bus->n_waiting++;
		(void)bus_cond_wait(
			&bus->came, &bus->mutex, now + PAUSE_MS < until ? now + PAUSE_MS : until);
		bus->n_waiting--;
	}
	pthread_mutex_unlock(&bus->mutex);
	return now < until;
}

void missing_found(struct bus *bus, const char *service)
{
	struct missing *missing;

	pthread_mutex_lock(&bus->mutex);
	missing = find(bus, service);
	if (missing != NULL && missing->service != NULL) {
		missing->service = NULL;
		pthread_cond_broadcast(&bus->came);
	}
	pthread_mutex_unlock(&bus->mutex);
}

bool bus_is_waiting(struct bus *bus)
{
	bool waiting;

	pthread_mutex_lock(&bus->mutex);
	waiting = bus->n_waiting > 0;
	pthread_mutex_unlock(&bus->mutex);
	return waiting;
}
