/* we500_seen: see we500_seen.h. A batch that can't be told is forgotten: its devices poll again. */
#include "gateway/compat/we500_seen.h"

#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/worker.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define WAITING_MAX 8192
#define BATCH	    500
#define EVERY_MS    5000
#define TIMEOUT_MS  2000
#define ID_LEN	    37
#define SOURCE_LEN  46

struct seen {
	char tenant[ID_LEN], device[ID_LEN], source[SOURCE_LEN];
	int64_t at_ms;
};

static struct {
	struct bus *bus;
	struct worker *worker;
	pthread_mutex_t mutex; /* guards what follows */
	struct seen waiting[WAITING_MAX];
	size_t n;
} seen = { .mutex = PTHREAD_MUTEX_INITIALIZER };

bool we500_seen_note(const Provision__PortalStatus *status, const char *source)
{
	bool fits;

	pthread_mutex_lock(&seen.mutex);
	fits = seen.n < WAITING_MAX;
	if (fits) {
		struct seen *one = &seen.waiting[seen.n++];

		snprintf(one->tenant, ID_LEN, "%s", status->tenant);
		snprintf(one->device, ID_LEN, "%s", status->device);
		snprintf(one->source, SOURCE_LEN, "%s", source);
		one->at_ms = clock_unix_ms();
	}
	pthread_mutex_unlock(&seen.mutex);
	return fits;
}

/* Takes the last ones out. */
static size_t take(struct seen batch[BATCH])
{
	size_t n;

	pthread_mutex_lock(&seen.mutex);
	n = seen.n < BATCH ? seen.n : BATCH;
	seen.n -= n;
	memcpy(batch, &seen.waiting[seen.n], n * sizeof(*batch));
	pthread_mutex_unlock(&seen.mutex);
	return n;
}

static err_t tell(struct call *call, struct seen batch[BATCH], size_t n)
{
	Provision__NotePollsRequest request = PROVISION__NOTE_POLLS_REQUEST__INIT;
	Provision__PortalSeen *items = arena_alloc(call->arena, n * sizeof(*items));
	const ProtobufCMessage *reply;

	request.n_items = n;
	request.items = arena_alloc(call->arena, n * sizeof(*request.items));
	for (size_t i = 0; i < n; i++) {
		provision__portal_seen__init(&items[i]);
		items[i].tenant = batch[i].tenant;
		items[i].device = batch[i].device;
		items[i].source = batch[i].source;
		items[i].at_ms = batch[i].at_ms;
		request.items[i] = &items[i];
	}
	call->tenant = CALL_FLEET;
	return bus_call(call, &provision__portals__descriptor, "NotePolls", &request.base, &reply);
}

static int64_t work(void *arg)
{
	struct seen batch[BATCH];
	size_t n;

	(void)arg;
	while ((n = take(batch)) > 0) {
		struct call call;
		err_t err;

		call_init(&call, seen.bus, "service:gateway", TIMEOUT_MS);
		err = tell(&call, batch, n);
		call_finish(&call);
		if (err != OK) /* counted and logged by the bus */
			break;
	}
	return EVERY_MS;
}

void we500_seen_open(struct bus *bus)
{
	seen.bus = bus;
	seen.worker = worker_start(work, NULL);
}

void we500_seen_close(void)
{
	worker_stop(seen.worker);
	seen.worker = NULL;
	(void)work(NULL);
}
