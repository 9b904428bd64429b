/*
 * service_fixture: real service processes against the test's PostgreSQL, and a bus to call them.
 * The test itself is a process of the fleet: it has a row in fabric.instance, and may answer calls
 * too.
 */
#pragma once

#include "lib/bus.h"
#include "lib/clock.h"
#include "lib/db.h"
#include "lib/fabric.h"

#include <criterion/criterion.h>
#include <criterion/hooks.h>
#include <sodium.h>

#include <arpa/inet.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define FIXTURE_SELF	    "018f0000-0000-4000-8000-00000000c11e" /* instance id of the test */
#define FIXTURE_PATIENCE_MS 30000

/* Waits for a condition; the test fails if it never comes. */
#define AWAIT(condition)                                                                           \
	do {                                                                                       \
		int64_t await_until = clock_ms() + FIXTURE_PATIENCE_MS;                            \
		while (!(condition) && clock_ms() < await_until)                                   \
			usleep(10 * 1000);                                                         \
		cr_assert(condition);                                                              \
	} while (0)

/* A port that nobody listens on, neither TCP nor UDP, below those that the kernel gives to clients.
 */
static inline uint16_t free_port(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	bool is_free;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	do {
		int tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		int udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

		cr_assert(tcp >= 0 && udp >= 0);
		address.sin_port = htons((uint16_t)(10000 + randombytes_uniform(10000)));
		is_free = bind(tcp, (void *)&address, sizeof(address)) == 0 &&
			  bind(udp, (void *)&address, sizeof(address)) == 0;
		close(tcp);
		close(udp);
	} while (!is_free);
	return ntohs(address.sin_port);
}

struct fixture {
	char folder[40];
	char key_file[64];
	const char *url; /* of the superuser */
	struct bus *bus;
	struct fabric *fabric;
	struct db *db;
};

/* The tests of a program share its database, fabric.instance too: they take turns. */
ReportHook(PRE_ALL)(struct criterion_test_set *tests)
{
	(void)tests;
	criterion_options.jobs = 1;
}

static void fixture_state(void *context, const char *problem)
{
	(void)context, (void)problem;
}

/* The test joins the fleet as `service`, and answers for the services listed; NULL: for none. */
static void fixture_open(
	struct fixture *fixture, const char *service, ProtobufCService *const *services)
{
	struct bus_options options = {
		.service = service, .instance = FIXTURE_SELF, .listen = "tcp://127.0.0.1:0"
	};
	struct bus_server server = { .services = services, .workers = 2 };
	struct fabric_options fabric = { .service = service, .state = fixture_state };
	FILE *key;

	fixture->url = getenv("LANYARD_TEST_DATABASE_URL");
	cr_assert_not_null(fixture->url, "run me by tests/postgres");
	strcpy(fixture->folder, "/tmp/lanyard-service-XXXXXX");
	cr_assert_not_null(mkdtemp(fixture->folder));
	snprintf(fixture->key_file, sizeof(fixture->key_file), "%s/key", fixture->folder);
	key = fopen(fixture->key_file, "we");
	cr_assert_not_null(key);
	fprintf(key, "1:%064d\n", 7);
	fclose(key);
	options.fleet_key_file = fixture->key_file;
	cr_assert_eq(bus_open(&fixture->bus, &options), OK);
	if (services != NULL)
		cr_assert_eq(bus_serve(fixture->bus, &server), OK);
	fabric.database_url = fixture->url;
	fabric.bus = fixture->bus;
	fixture->fabric = fabric_start(&fabric);
	fabric_join(fixture->fabric);
	fixture->db = db_create(fixture->url, "test");
}

static void fixture_close(struct fixture *fixture)
{
	fabric_stop(fixture->fabric);
	db_destroy(fixture->db);
	bus_close(fixture->bus, 0);
	unlink(fixture->key_file);
	rmdir(fixture->folder);
}

/* ---- processes ---- */

/* Starts lanyard-NAME with the settings that all have and those of `more` ("NAME=VALUE", NULL ends
 * them). */
static pid_t service_start(
	const struct fixture *fixture, const char *name, const char *const more[])
{
	char binary[512], url[640];
	pid_t pid;

	snprintf(binary, sizeof(binary), "%s/bin/lanyard-%s", getenv("LANYARD_BUILD"), name);
	snprintf(url, sizeof(url), "%s&user=lanyard_%s", fixture->url, name);
	pid = fork();
	cr_assert_geq(pid, 0);
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	unsetenv("LANYARD_TEST_DATABASE_URL");
	unsetenv("LANYARD_SOURCE");
	unsetenv("LANYARD_BUILD");
	setenv("LANYARD_DATABASE_URL", url, 1);
	setenv("LANYARD_FLEET_KEY_FILE", fixture->key_file, 1);
	setenv("LANYARD_LOG_LEVEL", "warn", 1);
	for (; *more != NULL; more++)
		putenv((char *)(uintptr_t)*more);
	execl(binary, binary, (char *)NULL);
	fprintf(stderr, "%s does not start\n", binary);
	_exit(127);
}

/* Tells it to stop and expects a clean end. */
static void service_stop(pid_t pid)
{
	int status = -1;

	kill(pid, SIGTERM);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %d", status);
}

/* Waits until the bus of the test knows `n` instances of the service. */
static void service_await(const struct fixture *fixture, const char *name, size_t n)
{
	AWAIT(bus_count(fixture->bus, name) == n);
}

/* ---- calls and SQL ---- */

/* One call as a gateway or node makes it; the caller finishes `call`, which holds the reply. */
static err_t fixture_call(const struct fixture *fixture, struct call *call, const char *tenant,
	const ProtobufCServiceDescriptor *service, const char *method,
	const ProtobufCMessage *request, const ProtobufCMessage **reply)
{
	call_init(call, fixture->bus, "service:test", FIXTURE_PATIENCE_MS);
	call->tenant = tenant;
	return bus_call(call, service, method, request, reply);
}

/* Runs a statement as the superuser; the result is the first column of the first row, as a number,
 * 0 if there is none. That column is called n. */
static long long fixture_sql(const struct fixture *fixture, const struct db_statement *statement)
{
	AUTO_ROWS rows = NULL;
	struct call call;
	long long n = 0;

	call_init(&call, NULL, "service:test", FIXTURE_PATIENCE_MS);
	call.tenant = CALL_FLEET;
	cr_assert_eq(db_begin(fixture->db, &call), OK, "%s", call.fault.detail);
	cr_assert_eq(db_query(&call, statement, &rows, 0, NULL), OK, "%s", call.fault.detail);
	if (db_count(rows) > 0)
		n = db_int(rows, 0, "n");
	cr_assert_eq(db_commit(fixture->db, &call), OK, "%s", call.fault.detail);
	call_finish(&call);
	return n;
}
