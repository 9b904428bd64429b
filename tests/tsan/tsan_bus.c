/*
 * ThreadSanitizer over the bus and the small threaded parts of lib: many threads call, instances
 * come and go, doorbells ring, metrics are printed, a worker is woken. Exit 0: every call was
 * answered and no data race was seen.
 */
#include "lib/bus.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/metrics.h"
#include "lib/worker.h"
#include "proto/dataplane.pb-c.h"

#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Debian's nng is not compiled for ThreadSanitizer, which so can't see all that orders what it
 * does. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
	return "called_from_lib:libnng.so\n";
}

#define N_THREADS 8
#define N_CALLS	  200

static struct {
	struct bus *server;
	struct bus *client;
	struct bus_instance instance;
	_Atomic int answered;
	_Atomic int heard;
	_Atomic int woken;
	_Atomic bool done;
} t;

static err_t list_sessions(struct call *call, const Dataplane__ListSessionsRequest *request,
	Dataplane__SessionList *reply)
{
	Dataplane__Session *session = arena_alloc(call->arena, sizeof(*session));

	dataplane__session__init(session);
	session->network = request->network;
	reply->n_items = 1;
	reply->items = arena_alloc(call->arena, sizeof(*reply->items));
	reply->items[0] = session;
	return OK;
}

static err_t close_session(
	struct call *call, const Dataplane__CloseSessionRequest *request, Dataplane__Empty *reply)
{
	(void)reply;
	return call_refuse(call, ERR_NOT_FOUND, "id", "no session %s here", request->id);
}

BUS_HANDLER(Dataplane__Dataplane_Service, list_sessions, Dataplane__ListSessionsRequest,
	Dataplane__SessionList, DATAPLANE__SESSION_LIST__INIT)
BUS_HANDLER(Dataplane__Dataplane_Service, close_session, Dataplane__CloseSessionRequest,
	Dataplane__Empty, DATAPLANE__EMPTY__INIT)

static Dataplane__Dataplane_Service dataplane = { .base = DATAPLANE__DATAPLANE__BASE_INIT,
	.list_sessions = on_list_sessions,
	.close_session = on_close_session };
static ProtobufCService *const services[] = { &dataplane.base, NULL };

static void *call_again_and_again(void *arg)
{
	Dataplane__ListSessionsRequest request = DATAPLANE__LIST_SESSIONS_REQUEST__INIT;

	(void)arg;
	request.network = "n";
	for (int i = 0; i < N_CALLS; i++) {
		const ProtobufCMessage *reply;
		struct call call;

		call_init(&call, t.client, "test", 30000);
		if (bus_call(&call, &dataplane__dataplane__descriptor, "ListSessions",
			    &request.base, &reply) == OK &&
			((const Dataplane__SessionList *)reply)->n_items == 1)
			t.answered++;
		call_finish(&call);
	}
	return NULL;
}

static void *disturb(void *arg)
{
	FILE *nowhere = fopen("/dev/null", "w");

	(void)arg;
	while (!t.done) {
		bus_set_instances(t.client, &t.instance, 1);
		bus_ring(t.server, "keys");
		metrics_print(nowhere);
		LOG_THROTTLED(LOG_LEVEL_DEBUG, "disturb", "heard=%d", t.heard);
		usleep(1000);
	}
	fclose(nowhere);
	return NULL;
}

static void heard(void *context, const char *topic)
{
	(void)topic;
	worker_wake(context);
	t.heard++;
}

static int64_t count(void *arg)
{
	(void)arg;
	t.woken++;
	return 3600 * 1000;
}

static struct bus *open_bus(const char *service, const char *instance, const char *key_file)
{
	struct bus_options options = { .service = service,
		.instance = instance,
		.fleet_key_file = key_file,
		.listen = "tcp://127.0.0.1:0" };
	struct bus *bus = NULL;

	if (bus_open(&bus, &options) != OK)
		exit(EXIT_FAILURE);
	return bus;
}

static void set_up(const char *key_file)
{
	struct bus_server server = { .services = services, .workers = 4 };

	t.server = open_bus("dataplane", "00000000-0000-4000-8000-000000000001", key_file);
	t.client = open_bus("gateway", "00000000-0000-4000-8000-000000000002", key_file);
	if (bus_serve(t.server, &server) != OK)
		exit(EXIT_FAILURE);
	strcpy(t.instance.service, "dataplane");
	strcpy(t.instance.instance, bus_self(t.server));
	strcpy(t.instance.url, bus_url(t.server));
	strcpy(t.instance.events_url, bus_events_url(t.server));
	bus_set_instances(t.client, &t.instance, 1);
}

int main(void)
{
	char key_file[] = "/tmp/lanyard-test-key-XXXXXX";
	pthread_t callers[N_THREADS], disturber;
	struct worker *worker;

	if (sodium_init() < 0)
		return EXIT_FAILURE;
	dprintf(mkstemp(key_file), "1:%064d\n", 7);
	set_up(key_file);
	worker = worker_start(count, NULL);
	bus_on_doorbell(t.client, heard, worker);
	pthread_create(&disturber, NULL, disturb, NULL);
	for (int i = 0; i < N_THREADS; i++)
		pthread_create(&callers[i], NULL, call_again_and_again, NULL);
	for (int i = 0; i < N_THREADS; i++)
		pthread_join(callers[i], NULL);
	t.done = true;
	pthread_join(disturber, NULL);
	bus_off_doorbell(t.client, worker);
	worker_stop(worker);
	bus_close(t.client, 1000);
	bus_close(t.server, 1000);
	unlink(key_file);
	printf("answered %d of %d, doorbells heard %d\n", t.answered, N_THREADS * N_CALLS, t.heard);
	return t.answered == N_THREADS * N_CALLS ? EXIT_SUCCESS : EXIT_FAILURE;
}
