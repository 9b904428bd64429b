/*
 * Events against a real PostgreSQL: nothing is lost or passed over, nothing is applied twice, and a
 * failing consumer tries again. Run by tests/postgres.
 */
#include "lib/bus.h"
#include "lib/clock.h"
#include "lib/db.h"
#include "lib/event.h"
#include "proto/event.pb-c.h"

#include <criterion/criterion.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TENANT	   "00000000-0000-7000-8000-00000000000a"
#define PATIENCE_S 30

static struct {
	char url[512];
	char key_file[64];
	struct bus *bus;
	struct db *db;
	struct db *other;
	struct event_consumer *consumer;
	pthread_mutex_t mutex; /* guards what follows */
	pthread_cond_t cond;
	char log[256]; /* subjects of the events applied, "a b c " */
	char tenant[64];
	int fail; /* how many more times apply fails */
} f = { .mutex = PTHREAD_MUTEX_INITIALIZER, .cond = PTHREAD_COND_INITIALIZER };

static const struct db_statement clear_events = { "DELETE FROM fabric.event" };
static const struct db_statement clear_cursor = {
	"UPDATE dns.event_cursor SET transaction = '0', id = 0"
};

static err_t apply(struct call *call, const ProtobufCMessage *message)
{
	const Event__Revoked *event = (const Event__Revoked *)message;
	err_t err = OK;

	pthread_mutex_lock(&f.mutex);
	if (f.fail > 0) {
		f.fail--;
		err = call_refuse(call, ERR_UNAVAILABLE, NULL, "on purpose");
	} else {
		strcat(strcat(f.log, event->subject), " ");
		snprintf(f.tenant, sizeof(f.tenant), "%s", call->tenant);
	}
	pthread_cond_signal(&f.cond);
	pthread_mutex_unlock(&f.mutex);
	return err;
}

static const struct event_route routes[] = {
	{ "revoked", &event__revoked__descriptor, apply },
	{ NULL, NULL, NULL },
};

static bool applied(const char *log)
{
	struct timespec until;
	bool same;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_S;
	pthread_mutex_lock(&f.mutex);
	while (strcmp(f.log, log) != 0)
		if (pthread_cond_timedwait(&f.cond, &f.mutex, &until) != 0)
			break;
	same = strcmp(f.log, log) == 0;
	pthread_mutex_unlock(&f.mutex);
	return same;
}

static void write_key(void)
{
	int fd;

	strcpy(f.key_file, "/tmp/lanyard-test-key-XXXXXX");
	fd = mkstemp(f.key_file);
	dprintf(fd, "1:%064d\n", 7);
	close(fd);
}

static void run_statement(const struct db_statement *statement)
{
	struct db *owner = db_create(getenv("LANYARD_TEST_DATABASE_URL"), "test");
	struct call call;

	call_init(&call, NULL, "test", 20000);
	call.tenant = CALL_FLEET;
	cr_assert(db_begin(owner, &call) == OK);
	cr_assert(db_query(&call, statement, NULL, 0, NULL) == OK);
	cr_assert(db_commit(owner, &call) == OK);
	call_finish(&call);
	db_destroy(owner);
}

static void set_up(void)
{
	struct bus_options options = {
		.service = "test",
		.instance = "00000000-0000-4000-8000-000000000001",
		.fleet_key_file = f.key_file,
		.listen = "tcp://127.0.0.1:0",
	};
	const char *url = getenv("LANYARD_TEST_DATABASE_URL");

	cr_assert(url != NULL, "run me by tests/postgres");
	snprintf(f.url, sizeof(f.url), "%s&user=lanyard_dns", url);
	write_key();
	run_statement(&clear_events);
	run_statement(&clear_cursor);
	cr_assert(bus_open(&f.bus, &options) == OK);
	f.db = db_create(f.url, "test");
	f.other = db_create(f.url, "test");
}

static void tear_down(void)
{
	event_consumer_stop(f.consumer);
	bus_close(f.bus, 100);
	db_destroy(f.db);
	db_destroy(f.other);
	unlink(f.key_file);
}

TestSuite(event, .init = set_up, .fini = tear_down, .timeout = 120);

static void follow(const char *schema)
{
	struct event_consumer_options options = {
		.database_url = f.url,
		.service = "test",
		.schema = schema,
		.routes = routes,
		.bus = f.bus,
	};

	f.consumer = event_consumer_start(&options);
}

static void publish_open(struct db *db, struct call *call, const char *subject)
{
	Event__Revoked event = EVENT__REVOKED__INIT;

	call_init(call, f.bus, "test", 30000);
	call->tenant = TENANT;
	event.subject = (char *)(uintptr_t)subject;
	cr_assert(db_begin(db, call) == OK);
	cr_assert(event_publish(call, "revoked", &event.base) == OK, "%s", call->fault.detail);
}

static void publish(const char *subject)
{
	struct call call;

	publish_open(f.db, &call, subject);
	cr_assert(db_commit(f.db, &call) == OK);
	event_ring(&call);
	call_finish(&call);
}

Test(event, a_durable_consumer_goes_on_where_it_was)
{
	publish("a");
	follow("dns");
	cr_assert(applied("a "), "%s", f.log);
	cr_expect_str_eq(f.tenant, TENANT);
	publish("b");
	cr_assert(applied("a b "), "%s", f.log);
	event_consumer_stop(f.consumer);
	publish("c");
	follow("dns");
	cr_assert(applied("a b c "), "%s", f.log);
}

Test(event, a_recent_consumer_sees_the_past_of_its_window_and_what_follows)
{
	publish("a");
	follow(NULL);
	cr_assert(applied("a "), "%s", f.log);
	publish("b");
	cr_assert(applied("a b "), "%s", f.log);
}

Test(event, what_was_rolled_back_never_happened)
{
	struct call call;

	follow("dns");
	publish_open(f.db, &call, "undone");
	db_rollback(f.db, &call);
	call_finish(&call);
	publish("a");
	cr_assert(applied("a "), "%s", f.log);
}

Test(event, an_event_that_commits_late_is_not_passed_over)
{
	struct call late;

	follow("dns");
	publish_open(f.other, &late, "late");
	publish("early");
	/* "early" has the higher number and must wait, or "late" would be lost. */
	cr_assert(db_commit(f.other, &late) == OK);
	event_ring(&late);
	call_finish(&late);
	cr_assert(applied("late early "), "%s", f.log);
}

Test(event, a_failure_is_tried_again_and_nothing_is_applied_twice)
{
	f.fail = 2;
	publish("a");
	publish("b");
	follow("dns");
	cr_assert(applied("a b "), "%s", f.log);
}
