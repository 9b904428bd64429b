/*
 * bus_fixture: what the tests of the bus share: servers that are processes of their own (this
 * program, run again with "serve"), and a client bus in the test's process. Plain programs, not
 * Criterion: nng can't be used on both sides of a fork, and Criterion forks.
 */
#pragma once

#include "lib/bus.h"
#include "lib/call.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/metrics.h"
#include "proto/dns.pb-c.h"
#include "proto/dataplane.pb-c.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS 90000

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);    \
			exit(1);                                                                   \
		}                                                                                  \
	} while (0)

/* Waits for a condition; the test fails if it never comes. */
#define AWAIT(condition)                                                                           \
	do {                                                                                       \
		int64_t await_until = clock_ms() + PATIENCE_MS;                                    \
		while (!(condition) && clock_ms() < await_until)                                   \
			usleep(2000);                                                              \
		CHECK(condition);                                                                  \
	} while (0)

/* ---- the server's side ---- */

static const char *fixture_argument(const char *text, const char *word)
{
	size_t len = strlen(word);

	return strncmp(text, word, len) == 0 ? text + len : NULL;
}

static _Atomic int n_held; /* requests that wait for a file to go */

/* Does what the id says, and tells what came with the call. */
static err_t get_name(struct call *call, const Dns__Ref *request, Dns__Name *reply)
{
	const char *argument;
	size_t len;
	FILE *metrics;

	if ((argument = fixture_argument(request->id, "sleep:")) != NULL)
		usleep((useconds_t)atoi(argument) * 1000);
	if ((argument = fixture_argument(request->id, "while:")) != NULL) {
		n_held++;
		while (access(argument, F_OK) == 0)
			usleep(1000);
		n_held--;
	}
	if (strcmp(request->id, "held") == 0)
		reply->network = arena_printf(call->arena, "%d", n_held);
	if ((argument = fixture_argument(request->id, "ring:")) != NULL)
		bus_ring(call->bus, argument);
	if ((argument = fixture_argument(request->id, "refuse:")) != NULL)
		return call_refuse(call, ERR_NOT_FOUND, "id", "no name %s here", argument);
	if (strcmp(request->id, "metrics") == 0) {
		metrics = open_memstream(&reply->network, &len);
		metrics_print(metrics);
		fclose(metrics);
		argument = reply->network;
		reply->network = arena_strdup(call->arena, argument);
		free((void *)(uintptr_t)argument);
	}
	reply->id = request->id;
	reply->name = (char *)(uintptr_t)bus_self(call->bus);
	reply->device = (char *)(uintptr_t)call->actor;
	reply->ipv4 = (char *)(uintptr_t)call->tenant;
	reply->ipv6 = (char *)(uintptr_t)call->idempotency_key;
	reply->created_at = (char *)(uintptr_t)call->trace;
	return OK;
}

/* A page of `limit` items whose ids are the text `cursor`. */
static err_t list_names(struct call *call, const Dns__ListRequest *request, Dns__NameList *reply)
{
	reply->n_items = request->limit;
	reply->items = arena_alloc(call->arena, request->limit * sizeof(Dns__Name *));
	for (size_t i = 0; i < request->limit; i++) {
		reply->items[i] = arena_alloc(call->arena, sizeof(Dns__Name));
		dns__name__init(reply->items[i]);
		reply->items[i]->id = request->cursor;
	}
	return OK;
}

static err_t list_sessions(struct call *call, const Dataplane__ListSessionsRequest *request,
	Dataplane__SessionList *reply)
{
	reply->n_items = 1;
	reply->items = arena_alloc(call->arena, sizeof(Dataplane__Session *));
	reply->items[0] = arena_alloc(call->arena, sizeof(Dataplane__Session));
	dataplane__session__init(reply->items[0]);
	reply->items[0]->node = (char *)(uintptr_t)bus_self(call->bus);
	reply->items[0]->network = request->network;
	return OK;
}

/* Kills its own process in the middle of the request, if it is the one that is named. */
static err_t close_session(
	struct call *call, const Dataplane__CloseSessionRequest *request, Dataplane__Empty *reply)
{
	(void)reply;
	if (strcmp(request->id, bus_self(call->bus)) == 0)
		kill(getpid(), SIGKILL);
	return OK;
}

static err_t list_network_events(struct call *call,
	const Dataplane__ListNetworkEventsRequest *request, Dataplane__NetworkEventList *reply)
{
	(void)call;
	reply->last = request->n_cursors;
	return OK;
}

BUS_HANDLER(Dns__Dns_Service, get_name, Dns__Ref, Dns__Name, DNS__NAME__INIT)
BUS_HANDLER(Dns__Dns_Service, list_names, Dns__ListRequest, Dns__NameList, DNS__NAME_LIST__INIT)
BUS_HANDLER(Dataplane__Dataplane_Service, list_sessions, Dataplane__ListSessionsRequest,
	Dataplane__SessionList, DATAPLANE__SESSION_LIST__INIT)
BUS_HANDLER(Dataplane__Dataplane_Service, close_session, Dataplane__CloseSessionRequest,
	Dataplane__Empty, DATAPLANE__EMPTY__INIT)
BUS_HANDLER(Dataplane__Dataplane_Service, list_network_events, Dataplane__ListNetworkEventsRequest,
	Dataplane__NetworkEventList, DATAPLANE__NETWORK_EVENT_LIST__INIT)

static Dns__Dns_Service dns_service = {
	.base = DNS__DNS__BASE_INIT, .get_name = on_get_name, .list_names = on_list_names
};
static Dataplane__Dataplane_Service dataplane_service = { .base = DATAPLANE__DATAPLANE__BASE_INIT,
	.list_sessions = on_list_sessions,
	.close_session = on_close_session,
	.list_network_events = on_list_network_events };

/* The same service as a later version has it: ListSessions is called ListSessionsOfALaterVersion.
 */
#define LATER_METHOD "ListSessionsOfALaterVersion"

static const ProtobufCServiceDescriptor *later_descriptor(void)
{
	static ProtobufCMethodDescriptor methods[8];
	static ProtobufCServiceDescriptor later;
	const ProtobufCServiceDescriptor *now = &dataplane__dataplane__descriptor;

	CHECK(now->n_methods <= ARRAY_LEN(methods));
	memcpy(methods, now->methods, now->n_methods * sizeof(*methods));
	for (unsigned i = 0; i < now->n_methods; i++)
		if (strcmp(methods[i].name, "ListSessions") == 0)
			methods[i].name = LATER_METHOD;
	later = *now;
	later.methods = methods;
	return &later;
}

static void block_signals(void)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
}

/* "serve KEY_FILE INSTANCE now|later": serves until its stdin ends. */
static int serve(char **argv)
{
	ProtobufCService *services[] = { &dns_service.base, &dataplane_service.base, NULL };
	struct bus_server server = { .services = services, .workers = 8 };
	struct bus_options options = {
		.service = "dns",
		.fleet_key_file = argv[2],
		.instance = argv[3],
		.listen = "tcp://127.0.0.1:0",
	};
	struct bus *bus;
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (strcmp(argv[4], "later") == 0)
		dataplane_service.base.descriptor = later_descriptor();
	block_signals();
	log_open("server", LOG_LEVEL_ERROR);
	CHECK(bus_open(&bus, &options) == OK);
	CHECK(bus_serve(bus, &server) == OK);
	printf("%s %s\n", bus_url(bus), bus_events_url(bus));
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0) {
	}
	bus_close(bus, PATIENCE_MS);
	return 0;
}

/* ---- the test's side ---- */

struct server {
	pid_t pid;
	int hold; /* the server runs until this is closed */
	struct bus_instance instance;
};

struct fixture {
	char folder[64];
	char key_file[96];
	struct bus *bus;
};

static void file_write(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	CHECK(file != NULL && fputs(text, file) >= 0);
	fclose(file);
}

static void fixture_open(struct fixture *fixture)
{
	struct bus_options options = {
		.service = "test",
		.instance = "00000000-0000-7000-8000-00000000c11e",
		.listen = "tcp://127.0.0.1:0",
	};

	block_signals();
	log_open("test", LOG_LEVEL_ERROR);
	strcpy(fixture->folder, "/tmp/lanyard-bus-XXXXXX");
	CHECK(mkdtemp(fixture->folder) != NULL);
	snprintf(fixture->key_file, sizeof(fixture->key_file), "%s/fleet.key", fixture->folder);
	file_write(fixture->key_file,
		"k1:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n");
	options.fleet_key_file = fixture->key_file;
	CHECK(bus_open(&fixture->bus, &options) == OK);
}

static void fixture_close(struct fixture *fixture)
{
	bus_close(fixture->bus, 0);
	unlink(fixture->key_file);
	rmdir(fixture->folder);
}

/* Starts a server of a version ("now", "later") that says it is `service`. */
static struct server server_start_as(
	struct fixture *fixture, const char *service, const char *version)
{
	static unsigned count;
	struct server server = { .pid = -1 };
	struct bus_instance *instance = &server.instance;
	int in[2], out[2];
	FILE *lines;

	snprintf(instance->service, sizeof(instance->service), "%s", service);
	snprintf(instance->instance, sizeof(instance->instance), "00000000-0000-7000-8000-%012x",
		++count);
	CHECK(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
	server.pid = fork();
	CHECK(server.pid >= 0);
	if (server.pid == 0) {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		execl("/proc/self/exe", "server", "serve", fixture->key_file, instance->instance,
			version, (char *)NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	server.hold = in[1];
	lines = fdopen(out[0], "r");
	CHECK(lines != NULL);
	CHECK(fscanf(lines, "%255s %255s", instance->url, instance->events_url) == 2);
	fclose(lines);
	return server;
}

static struct server server_start(struct fixture *fixture, const char *service)
{
	return server_start_as(fixture, service, "now");
}

/* Waits for a clean end. */
static void server_ended(const struct server *server)
{
	int status;

	CHECK(waitpid(server->pid, &status, 0) == server->pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* Tells it to stop. */
static void server_stop(struct server *server)
{
	close(server->hold);
	server_ended(server);
}

static void fixture_know(struct fixture *fixture, const struct server *servers, size_t n)
{
	struct bus_instance instances[8];

	CHECK(n <= 8);
	for (size_t i = 0; i < n; i++)
		instances[i] = servers[i].instance;
	bus_set_instances(fixture->bus, instances, n);
}

/* One GetName; `name` gets a copy of the reply's texts if it isn't NULL. */
struct answer {
	err_t err;
	struct fault fault;
	char name[BUS_INSTANCE_LEN];
	char network[8192];
};

static struct answer ask(struct fixture *fixture, const char *id, int64_t timeout_ms)
{
	struct answer answer = { .err = OK };
	Dns__Ref request = DNS__REF__INIT;
	const ProtobufCMessage *reply;
	struct call call;

	call_init(&call, fixture->bus, "service:test", timeout_ms);
	request.id = (char *)(uintptr_t)id;
	answer.err = bus_call(&call, &dns__dns__descriptor, "GetName", &request.base, &reply);
	answer.fault = call.fault;
	if (answer.err == OK) {
		const Dns__Name *name = (const Dns__Name *)reply;

		snprintf(answer.name, sizeof(answer.name), "%s", name->name);
		snprintf(answer.network, sizeof(answer.network), "%s", name->network);
	}
	call_finish(&call);
	return answer;
}

/* Is the test of this name asked for? By default all are. Options are Criterion's, from CTest. */
static bool wanted(int argc, char **argv, const char *name)
{
	bool named = false;

	for (int i = 1; i < argc; i++) {
		if (*argv[i] == '-')
			continue;
		if (strcmp(argv[i], name) == 0)
			return true;
		named = true;
	}
	return !named;
}

/* Says that a test has passed, and counts it: a run of none must not pass. */
static void passed(const char *name, int *n)
{
	printf("ok %s\n", name);
	fflush(stdout);
	(*n)++;
}
