/*
 * The bus between real processes: calls, refusals, deadlines, balance, fail-over, gathering,
 * doorbells, and a clean stop.
 */
#include "tests/component/bus_fixture.h"

#include <pthread.h>

#define N_CALLERS  16
#define N_HELD	   4
#define N_RESTARTS 12

static void server_kill(struct server *server)
{
	kill(server->pid, SIGKILL);
	CHECK(waitpid(server->pid, NULL, 0) == server->pid);
	close(server->hold);
}

static void test_envelope(struct fixture *fixture)
{
	struct server server = server_start(fixture, "dns");
	Dns__Ref request = DNS__REF__INIT;
	const ProtobufCMessage *reply;
	const Dns__Name *name;
	struct call call;

	fixture_know(fixture, &server, 1);
	call_init(&call, fixture->bus, "user:someone", PATIENCE_MS);
	call.tenant = "00000000-0000-7000-8000-000000000000";
	call.idempotency_key = "once";
	request.id = "hello";
	CHECK(bus_call(&call, &dns__dns__descriptor, "GetName", &request.base, &reply) == OK);
	name = (const Dns__Name *)reply;
	CHECK(strcmp(name->id, "hello") == 0);
	CHECK(strcmp(name->name, server.instance.instance) == 0);
	CHECK(strcmp(name->device, "user:someone") == 0);
	CHECK(strcmp(name->ipv4, call.tenant) == 0);
	CHECK(strcmp(name->ipv6, "once") == 0);
	CHECK(strcmp(name->created_at, call.trace) == 0);
	call_finish(&call);
	server_stop(&server);
}

/* What a later version adds to a message is skipped; what it says in fields that are known is read.
 */
static void test_unknown_fields(struct fixture *fixture)
{
	static uint8_t bytes[] = "\5later";
	ProtobufCMessageUnknownField later = { 2000, PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED, 6,
		bytes };
	struct server server = server_start(fixture, "dns");
	Dns__Ref request = DNS__REF__INIT;
	const ProtobufCMessage *reply;
	struct call call;

	fixture_know(fixture, &server, 1);
	call_init(&call, fixture->bus, "user:someone", PATIENCE_MS);
	request.id = "hello";
	request.base.n_unknown_fields = 1;
	request.base.unknown_fields = &later;
	CHECK(bus_call(&call, &dns__dns__descriptor, "GetName", &request.base, &reply) == OK);
	CHECK(strcmp(((const Dns__Name *)reply)->id, "hello") == 0);
	call_finish(&call);
	server_stop(&server);
}

static void test_refusals(struct fixture *fixture)
{
	struct server server = server_start(fixture, "dns");
	struct answer answer;
	struct call call;
	Dns__Ref request = DNS__REF__INIT;
	const ProtobufCMessage *reply;

	fixture_know(fixture, &server, 1);
	answer = ask(fixture, "refuse:x", PATIENCE_MS);
	CHECK(answer.err == ERR_NOT_FOUND);
	CHECK(strcmp(answer.fault.field, "id") == 0);
	CHECK(strcmp(answer.fault.detail, "no name x here") == 0);

	call_init(&call, fixture->bus, "user:someone", PATIENCE_MS);
	call.tenant = "not a tenant";
	CHECK(bus_call(&call, &dns__dns__descriptor, "GetName", &request.base, &reply) ==
		ERR_INVALID_ARGUMENT);
	CHECK(strcmp(call.fault.field, "tenant") == 0);
	call_finish(&call);
	server_stop(&server);
}

/* A server of an older version: it has no such service. */
static void test_unknown_method(struct fixture *fixture)
{
	struct server server = server_start(fixture, "dataplane");
	struct answer answer;
	Dataplane__ListSessionsRequest request = DATAPLANE__LIST_SESSIONS_REQUEST__INIT;
	ProtobufCServiceDescriptor future = dataplane__dataplane__descriptor;
	const ProtobufCMessage *reply;
	struct call call;

	fixture_know(fixture, &server, 1);
	call_init(&call, fixture->bus, "service:test", PATIENCE_MS);
	future.name = "dataplane.Future";
	CHECK(bus_call(&call, &future, "ListSessions", &request.base, &reply) == ERR_UNIMPLEMENTED);
	CHECK(strcmp(call.fault.field, "method") == 0);
	CHECK(bus_call(&call, &dataplane__dataplane__descriptor, "ListSessions", &request.base,
		      &reply) == OK);
	call_finish(&call);

	answer = ask(fixture, "hello", 300);
	CHECK(answer.err == ERR_UNAVAILABLE); /* nobody is dns */
	server_stop(&server);
}

/* Asks for the sessions by a name that only a later version knows. */
static err_t ask_later(struct fixture *fixture, struct fault *fault)
{
	Dataplane__ListSessionsRequest request = DATAPLANE__LIST_SESSIONS_REQUEST__INIT;
	const ProtobufCMessage *reply;
	struct call call;
	err_t err;

	call_init(&call, fixture->bus, "service:test", PATIENCE_MS);
	err = bus_call(&call, later_descriptor(), LATER_METHOD, &request.base, &reply);
	*fault = call.fault;
	call_finish(&call);
	return err;
}

/* A method that an older instance does not have is asked of the others, and refused at once if
 * there are none: the service is there. */
static void test_versions(struct fixture *fixture)
{
	struct server servers[3] = { server_start(fixture, "dataplane"),
		server_start(fixture, "dataplane"),
		server_start_as(fixture, "dataplane", "later") };
	struct fault fault;

	fixture_know(fixture, servers, 3);
	for (int i = 0; i < 30; i++)
		CHECK(ask_later(fixture, &fault) == OK);
	fixture_know(fixture, servers, 2);
	CHECK(ask_later(fixture, &fault) == ERR_UNIMPLEMENTED);
	CHECK(strcmp(fault.field, "method") == 0);
	CHECK(strcmp(fault.detail, "this version has no dataplane.Dataplane/" LATER_METHOD) == 0);
	for (int i = 0; i < 3; i++)
		server_stop(&servers[i]);
}

static void test_deadline(struct fixture *fixture)
{
	struct server server = server_start(fixture, "dns");

	fixture_know(fixture, &server, 1);
	for (int i = 0; i < 3; i++)
		CHECK(ask(fixture, "sleep:2500", 1000).err == ERR_DEADLINE_EXCEEDED);
	CHECK(ask(fixture, "hello", 0).err == ERR_DEADLINE_EXCEEDED);
	CHECK(ask(fixture, "hello", PATIENCE_MS).err == OK);
	server_stop(&server);
}

static size_t page_of(struct fixture *fixture, unsigned limit, char *cursor, err_t want)
{
	Dns__ListRequest request = DNS__LIST_REQUEST__INIT;
	const ProtobufCMessage *reply;
	struct call call;
	size_t n = 0;

	call_init(&call, fixture->bus, "service:test", PATIENCE_MS);
	request.limit = limit;
	request.cursor = cursor;
	CHECK(bus_call(&call, &dns__dns__descriptor, "ListNames", &request.base, &reply) == want);
	if (want == OK)
		n = ((const Dns__NameList *)reply)->n_items;
	call_finish(&call);
	return n;
}

static void test_sizes(struct fixture *fixture)
{
	struct server server = server_start(fixture, "dns");
	char *large = calloc(1, BUS_MESSAGE_MAX + 1);

	fixture_know(fixture, &server, 1);
	memset(large, 'x', BUS_MESSAGE_MAX);
	page_of(fixture, 1, large, ERR_INVALID_ARGUMENT);
	large[200000] = '\0';
	CHECK(page_of(fixture, 1, large, OK) == 1);
	page_of(fixture, 2, large, ERR_OUT_OF_RANGE);
	CHECK(page_of(fixture, 0, large, OK) == 0);
	/* Small when packed, huge when unpacked: 2 bytes each become more than a hundred. */
	page_of(fixture, 100000, "", ERR_INTERNAL);
	CHECK(page_of(fixture, 10000, "", OK) == 10000);
	free(large);
	server_stop(&server);
}

static void test_balance(struct fixture *fixture)
{
	struct server servers[3];
	int got[3] = { 0 };

	for (int i = 0; i < 3; i++)
		servers[i] = server_start(fixture, "dns");
	fixture_know(fixture, servers, 3);
	CHECK(bus_count(fixture->bus, "dns") == 3);
	for (int i = 0; i < 300; i++) {
		struct answer answer = ask(fixture, "hello", PATIENCE_MS);

		CHECK(answer.err == OK);
		for (int k = 0; k < 3; k++)
			got[k] += strcmp(answer.name, servers[k].instance.instance) == 0;
	}
	CHECK(got[0] == 100 && got[1] == 100 && got[2] == 100);
	for (int i = 0; i < 3; i++)
		server_stop(&servers[i]);
}

struct caller {
	struct fixture *fixture;
	pthread_t thread;
	_Atomic int *n_answered;
	_Atomic bool *enough;
	int n_failed;
};

/* Changes something, again and again, with a key for each change. */
static void *call_on(void *arg)
{
	struct caller *caller = arg;
	Dataplane__CloseSessionRequest request = DATAPLANE__CLOSE_SESSION_REQUEST__INIT;
	const ProtobufCMessage *reply;

	while (!*caller->enough) {
		struct call call;

		call_init(&call, caller->fixture->bus, "service:test", PATIENCE_MS);
		call.idempotency_key = call.trace;
		if (bus_call(&call, &dataplane__dataplane__descriptor, "CloseSession",
			    &request.base, &reply) != OK) {
			fprintf(stderr, "lost: %s\n", call.fault.detail);
			caller->n_failed++;
		}
		(*caller->n_answered)++;
		call_finish(&call);
	}
	return NULL;
}

/* One of three instances is killed under load: no call is lost. */
static void test_failover(struct fixture *fixture)
{
	struct server servers[3];
	struct caller callers[N_CALLERS];
	_Atomic int n_answered = 0;
	_Atomic bool enough = false;

	for (int i = 0; i < 3; i++)
		servers[i] = server_start(fixture, "dataplane");
	fixture_know(fixture, servers, 3);
	for (int i = 0; i < N_CALLERS; i++) {
		callers[i] = (struct caller){ fixture, 0, &n_answered, &enough, 0 };
		CHECK(pthread_create(&callers[i].thread, NULL, call_on, &callers[i]) == 0);
	}
	AWAIT(n_answered > 1000);
	server_kill(&servers[0]);
	AWAIT(n_answered > 4000);
	fixture_know(fixture, servers + 1, 2);
	AWAIT(n_answered > 5000);
	enough = true;
	for (int i = 0; i < N_CALLERS; i++) {
		CHECK(pthread_join(callers[i].thread, NULL) == 0);
		CHECK(callers[i].n_failed == 0);
	}
	server_stop(&servers[1]);
	server_stop(&servers[2]);
}

/* The only instance is killed, or stops, and another one starts, again and again: calls wait for
 * it. */
static void test_restarts(struct fixture *fixture)
{
	struct server server = server_start(fixture, "dataplane");
	struct caller callers[N_CALLERS];
	_Atomic int n_answered = 0;
	_Atomic bool enough = false;

	fixture_know(fixture, &server, 1);
	for (int i = 0; i < N_CALLERS; i++) {
		callers[i] = (struct caller){ fixture, 0, &n_answered, &enough, 0 };
		CHECK(pthread_create(&callers[i].thread, NULL, call_on, &callers[i]) == 0);
	}
	for (int round = 0; round < N_RESTARTS; round++) {
		struct server next = server_start(fixture, "dataplane");
		int before = n_answered;

		AWAIT(n_answered > before + 200);
		if (round % 2 == 0)
			server_kill(&server);
		else
			close(server.hold);
		if (round % 3 == 0)
			fixture_know(fixture, NULL, 0);
		AWAIT(bus_is_waiting(fixture->bus));
		fixture_know(fixture, &next, 1);
		if (round % 2 != 0)
			server_ended(&server);
		server = next;
	}
	enough = true;
	for (int i = 0; i < N_CALLERS; i++) {
		CHECK(pthread_join(callers[i].thread, NULL) == 0);
		CHECK(callers[i].n_failed == 0);
	}
	server_stop(&server);
}

struct held_call {
	struct fixture *fixture;
	const char *id;
	struct answer answer;
};

static void *ask_held(void *arg)
{
	struct held_call *held = arg;

	held->answer = ask(held->fixture, held->id, PATIENCE_MS);
	return NULL;
}

/* One of two is killed while it answers a question, before the caller has heard of the other one.
 */
static void test_late_news(struct fixture *fixture)
{
	char file[128], id[160];

	snprintf(file, sizeof(file), "%s/hold", fixture->folder);
	snprintf(id, sizeof(id), "while:%s", file);
	for (int round = 0; round < N_RESTARTS; round++) {
		struct server servers[2] = { server_start(fixture, "dns"),
			server_start(fixture, "dns") };
		struct held_call held = { .fixture = fixture, .id = id };
		pthread_t thread;

		file_write(file, "");
		fixture_know(fixture, servers, 1);
		CHECK(pthread_create(&thread, NULL, ask_held, &held) == 0);
		AWAIT(strcmp(ask(fixture, "held", PATIENCE_MS).network, "1") == 0);
		server_kill(&servers[0]);
		AWAIT(bus_is_waiting(fixture->bus));
		unlink(file);
		fixture_know(fixture, servers + 1, 1);
		CHECK(pthread_join(thread, NULL) == 0);
		CHECK(held.answer.err == OK);
		server_stop(&servers[1]);
	}
}

/* A service that is gone: calls wait for it as long as a restart takes, and no longer. */
static void test_missing(struct fixture *fixture)
{
	struct server server = server_start(fixture, "dns");
	int64_t began;

	fixture_know(fixture, &server, 1);
	CHECK(ask(fixture, "hello", PATIENCE_MS).err == OK);
	server_stop(&server);
	CHECK(ask(fixture, "hello", 300).err == ERR_UNAVAILABLE);
	CHECK(ask(fixture, "hello", PATIENCE_MS).err == ERR_UNAVAILABLE);
	began = clock_ms();
	for (int i = 0; i < 10; i++)
		CHECK(ask(fixture, "hello", PATIENCE_MS).err == ERR_UNAVAILABLE);
	CHECK(clock_ms() - began < PATIENCE_MS / 2); /* ten waits would take longer */
}

static err_t close_one(struct fixture *fixture, const char *id, const char *key)
{
	Dataplane__CloseSessionRequest request = DATAPLANE__CLOSE_SESSION_REQUEST__INIT;
	const ProtobufCMessage *reply;
	struct call call;
	err_t err;

	call_init(&call, fixture->bus, "service:test", PATIENCE_MS);
	call.idempotency_key = key;
	request.id = (char *)(uintptr_t)id;
	err = bus_call(
		&call, &dataplane__dataplane__descriptor, "CloseSession", &request.base, &reply);
	call_finish(&call);
	return err;
}

/* An instance dies in the middle of a change: only a change with a key is asked of another. */
static void test_change_without_key(struct fixture *fixture)
{
	static const struct {
		const char *key;
		err_t want;
	} rows[] = { { "", ERR_UNAVAILABLE }, { "once", OK } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct server servers[2] = { server_start(fixture, "dataplane"),
			server_start(fixture, "dataplane") };
		err_t err = OK;

		fixture_know(fixture, servers, 2);
		/* Turns are taken, so one of two calls reaches the instance that dies of it. */
		for (int turn = 0; turn < 2 && err == OK; turn++)
			err = close_one(fixture, servers[0].instance.instance, rows[i].key);
		CHECK(err == rows[i].want);
		CHECK(waitpid(servers[0].pid, NULL, 0) == servers[0].pid);
		close(servers[0].hold);
		server_stop(&servers[1]);
	}
}

/* One that was stopped answers no handshake: others do, and alone it costs no more than the
 * deadline. */
static void test_frozen(struct fixture *fixture)
{
	struct server servers[2] = { server_start(fixture, "dns"), server_start(fixture, "dns") };

	kill(servers[0].pid, SIGSTOP);
	fixture_know(fixture, servers, 2);
	for (int i = 0; i < 4; i++)
		CHECK(ask(fixture, "hello", PATIENCE_MS).err == OK);
	fixture_know(fixture, servers, 1);
	CHECK(ask(fixture, "hello", 200).err == ERR_UNAVAILABLE);
	CHECK(ask(fixture, "hello", 2000).err == ERR_UNAVAILABLE);
	kill(servers[0].pid, SIGCONT);
	AWAIT(ask(fixture, "hello", PATIENCE_MS).err == OK);
	server_stop(&servers[0]);
	server_stop(&servers[1]);
}

/* A new process at an old address says at once that it is not who was asked. */
static void test_turned_away(struct fixture *fixture)
{
	struct server server = server_start(fixture, "dns");
	struct server earlier = server;

	strcpy(earlier.instance.instance, "00000000-0000-7000-8000-0000000000ff");
	fixture_know(fixture, &earlier, 1);
	CHECK(ask(fixture, "hello", 500).err == ERR_UNAVAILABLE);
	server_stop(&server);
	CHECK(ask(fixture, "hello", 500).err == ERR_UNAVAILABLE);
}

static void test_call_each(struct fixture *fixture)
{
	struct server servers[3];
	Dataplane__ListSessionsRequest request = DATAPLANE__LIST_SESSIONS_REQUEST__INIT;
	struct bus_answer *answers;
	struct call call;
	size_t n;

	for (int i = 0; i < 3; i++)
		servers[i] = server_start(fixture, "dataplane");
	fixture_know(fixture, servers, 3);
	server_kill(&servers[1]);

	call_init(&call, fixture->bus, "service:test", PATIENCE_MS);
	request.network = "office";
	CHECK(bus_call_each(&call, &dataplane__dataplane__descriptor, "ListSessions", &request.base,
		      &answers, &n) == OK);
	CHECK(n == 3);
	for (size_t i = 0; i < n; i++) {
		const Dataplane__SessionList *list =
			(const Dataplane__SessionList *)answers[i].reply;

		CHECK(strcmp(answers[i].instance, servers[i].instance.instance) == 0);
		CHECK(answers[i].err == (i == 1 ? ERR_UNAVAILABLE : OK));
		if (i == 1)
			CHECK(list == NULL);
		else
			CHECK(strcmp(list->items[0]->node, answers[i].instance) == 0);
	}
	call_finish(&call);
	server_stop(&servers[0]);
	server_stop(&servers[2]);
}

static void count_doorbell(void *context, const char *topic)
{
	if (strcmp(topic, "member") == 0)
		(*(_Atomic int *)context)++;
}

static void test_doorbells(struct fixture *fixture)
{
	struct server servers[2] = { server_start(fixture, "dns"), server_start(fixture, "dns") };
	_Atomic int n_heard = 0;

	fixture_know(fixture, servers, 2);
	bus_on_doorbell(fixture->bus, count_doorbell, (void *)&n_heard);
	/* The first ones may ring before the line is up. */
	AWAIT(ask(fixture, "ring:member", PATIENCE_MS).err == OK && n_heard > 10);
	fixture_know(fixture, servers, 1);
	n_heard = 0;
	AWAIT(ask(fixture, "ring:member", PATIENCE_MS).err == OK && n_heard > 10);
	bus_off_doorbell(fixture->bus, &n_heard);
	server_stop(&servers[0]);
	server_stop(&servers[1]);
}

/* Do the next calls go to this server alone, all answered? */
static bool all_go_to(struct fixture *fixture, const struct server *server)
{
	bool all = true;

	for (int i = 0; i < 6; i++) {
		struct answer answer = ask(fixture, "hello", PATIENCE_MS);

		CHECK(answer.err == OK);
		all = all && strcmp(answer.name, server->instance.instance) == 0;
	}
	return all;
}

/* A server that is told to stop answers what it has begun; what comes meanwhile goes to others. */
static void test_drain(struct fixture *fixture)
{
	struct server servers[2] = { server_start(fixture, "dns"), server_start(fixture, "dns") };
	struct held_call held[N_HELD];
	pthread_t threads[N_HELD];
	char file[128], id[160];

	snprintf(file, sizeof(file), "%s/hold", fixture->folder);
	snprintf(id, sizeof(id), "while:%s", file);
	file_write(file, "");
	fixture_know(fixture, servers, 1);
	for (int i = 0; i < N_HELD; i++) {
		held[i] = (struct held_call){ .fixture = fixture, .id = id };
		CHECK(pthread_create(&threads[i], NULL, ask_held, &held[i]) == 0);
	}
	AWAIT(strcmp(ask(fixture, "held", PATIENCE_MS).network, "4") == 0);
	fixture_know(fixture, servers, 2);
	CHECK(!all_go_to(fixture, &servers[1]));

	close(servers[0].hold);
	AWAIT(all_go_to(fixture, &servers[1]));
	CHECK(waitpid(servers[0].pid, NULL, WNOHANG) == 0); /* it is still at work */
	unlink(file);
	server_ended(&servers[0]);
	for (int i = 0; i < N_HELD; i++) {
		CHECK(pthread_join(threads[i], NULL) == 0);
		CHECK(held[i].answer.err == OK);
		CHECK(strcmp(held[i].answer.name, servers[0].instance.instance) == 0);
	}
	server_stop(&servers[1]);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(struct fixture *fixture);
	} tests[] = {
		{ "envelope", test_envelope },
		{ "unknown_fields", test_unknown_fields },
		{ "refusals", test_refusals },
		{ "unknown_method", test_unknown_method },
		{ "versions", test_versions },
		{ "deadline", test_deadline },
		{ "sizes", test_sizes },
		{ "balance", test_balance },
		{ "failover", test_failover },
		{ "restarts", test_restarts },
		{ "late_news", test_late_news },
		{ "missing", test_missing },
		{ "change_without_key", test_change_without_key },
		{ "frozen", test_frozen },
		{ "turned_away", test_turned_away },
		{ "call_each", test_call_each },
		{ "doorbells", test_doorbells },
		{ "drain", test_drain },
	};
	struct fixture fixture;
	int n = 0;

	if (argc == 5 && strcmp(argv[1], "serve") == 0)
		return serve(argv);
	fixture_open(&fixture);
	for (size_t i = 0; i < ARRAY_LEN(tests); i++) {
		if (!wanted(argc, argv, tests[i].name))
			continue;
		tests[i].run(&fixture);
		passed(tests[i].name, &n);
	}
	fixture_close(&fixture);
	CHECK(n > 0);
	return 0;
}
