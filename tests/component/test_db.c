/*
 * The database layer against a real PostgreSQL: scope of tenants, kinds of errors, pages,
 * reconnecting. Run by tests/postgres, which gives LANYARD_TEST_DATABASE_URL.
 */
#include "lib/clock.h"
#include "lib/db.h"
#include "proto/auth.pb-c.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TENANT_A "00000000-0000-7000-8000-00000000000a"
#define TENANT_B "00000000-0000-7000-8000-00000000000b"
#define N_THINGS 120

static const struct db_statement make_schema = { "CREATE SCHEMA IF NOT EXISTS thing" };
static const struct db_statement make_table = {
	"CREATE TABLE thing.thing (tenant_id uuid NOT NULL, id uuid DEFAULT fabric.uuid7(), name "
	"text"
	" NOT NULL CHECK (name <> 'bad'), tags text[] DEFAULT '{}', version bigint DEFAULT 1,"
	" PRIMARY KEY (tenant_id, id), CONSTRAINT thing_name UNIQUE (tenant_id, name))"
};
static const struct db_statement isolate = { "CALL fabric.isolate('thing.thing')" };
static const struct db_statement give_schema = { "GRANT USAGE ON SCHEMA thing TO lanyard_gateway" };
static const struct db_statement give_table = { "GRANT ALL ON thing.thing TO lanyard_gateway" };
static const struct db_statement drop = { "DROP SCHEMA IF EXISTS thing CASCADE" };

static const struct db_statement add = {
	"INSERT INTO thing.thing (tenant_id, name, tags) VALUES ($1, $2, $3::text[])"
	" RETURNING id, name, tags AS scopes, version"
};
static const struct db_statement by_name = { "SELECT id, name, tags AS scopes, version FROM "
					     "thing.thing WHERE tenant_id = $1 AND name = $2" };
static const struct db_statement all = { "SELECT id FROM thing.thing" };
static const struct db_statement page = {
	"SELECT id, name FROM thing.thing WHERE tenant_id = $1 AND ($2 = '' OR id > $2::uuid)"
	" ORDER BY id LIMIT $3::int"
};
static const struct db_statement kill_self = { "SELECT pg_terminate_backend(pg_backend_pid())" };
static const struct db_statement sleep_long = { "SELECT pg_sleep(30)" };
static const struct db_statement read_only = { "SET TRANSACTION READ ONLY" };
static const struct db_statement nonsense = { "SELECT nonsense" };

struct fixture {
	struct db *owner;
	struct db *db; /* as lanyard_gateway, whom row-level security binds */
	char url[512];
	struct call call;
};

static struct fixture f;

static err_t run(struct db *db, struct call *call, const struct db_statement *statement)
{
	err_t err = db_begin(db, call);

	if (err == OK)
		err = db_query(call, statement, NULL, 0, NULL);
	if (err == OK)
		return db_commit(db, call);
	db_rollback(db, call);
	return err;
}

static void as_tenant(const char *tenant)
{
	call_finish(&f.call);
	call_init(&f.call, NULL, "test", 20000);
	f.call.tenant = tenant;
}

static void set_up(void)
{
	const char *url = getenv("LANYARD_TEST_DATABASE_URL");

	cr_assert(url != NULL, "run me by tests/postgres");
	snprintf(f.url, sizeof(f.url), "%s&user=lanyard_gateway", url);
	f.owner = db_create(url, "test");
	f.db = db_create(f.url, "test");
	call_init(&f.call, NULL, "test", 20000);
	f.call.tenant = CALL_FLEET;
	cr_assert(run(f.owner, &f.call, &drop) == OK);
	cr_assert(run(f.owner, &f.call, &make_schema) == OK);
	cr_assert(run(f.owner, &f.call, &make_table) == OK, "%s", f.call.fault.detail);
	cr_assert(run(f.owner, &f.call, &isolate) == OK);
	cr_assert(run(f.owner, &f.call, &give_schema) == OK);
	cr_assert(run(f.owner, &f.call, &give_table) == OK);
	as_tenant(TENANT_A);
}

static void tear_down(void)
{
	as_tenant(CALL_FLEET);
	cr_expect(run(f.owner, &f.call, &drop) == OK);
	call_finish(&f.call);
	db_destroy(f.db);
	db_destroy(f.owner);
}

TestSuite(db, .init = set_up, .fini = tear_down, .timeout = 60);

static void add_committed(const char *tenant, const char *name)
{
	as_tenant(tenant);
	cr_assert(db_begin(f.db, &f.call) == OK);
	cr_assert(
		DB_QUERY(&f.call, &add, NULL, tenant, name, "{}") == OK, "%s", f.call.fault.detail);
	cr_assert(db_commit(f.db, &f.call) == OK);
}

static size_t count_as(const char *tenant)
{
	AUTO_ROWS rows = NULL;
	size_t n;

	as_tenant(tenant);
	cr_assert(db_begin(f.db, &f.call) == OK);
	cr_assert(db_query(&f.call, &all, &rows, 0, NULL) == OK);
	n = db_count(rows);
	db_rollback(f.db, &f.call);
	return n;
}

Test(db, a_transaction_sees_its_tenants_rows_only)
{
	add_committed(TENANT_A, "one");
	add_committed(TENANT_B, "one");
	add_committed(TENANT_B, "two");
	cr_expect_eq(count_as(TENANT_A), 1);
	cr_expect_eq(count_as(TENANT_B), 2);
	cr_expect_eq(count_as(CALL_FLEET), 3);
	cr_expect_eq(count_as(""), 0);
}

Test(db, a_row_of_another_tenant_cannot_be_written)
{
	as_tenant(TENANT_A);
	cr_assert(db_begin(f.db, &f.call) == OK);
	cr_expect(DB_QUERY(&f.call, &add, NULL, TENANT_B, "x", "{}") != OK);
	db_rollback(f.db, &f.call);
	cr_expect_eq(count_as(CALL_FLEET), 0);
}

Test(db, a_row_fills_a_message_by_name)
{
	Auth__ApiKey key = AUTH__API_KEY__INIT;

	cr_assert(db_begin(f.db, &f.call) == OK);
	cr_assert(
		DB_QUERY(&f.call, &add, NULL, TENANT_A, "na'me", "{a,\"b \\\"c\\\"\",\"\"}") == OK);
	cr_assert(db_one(&f.call, &by_name, &key.base, "thing", 2,
			  (const char *const[]){ TENANT_A, "na'me" }) == OK);
	cr_expect_str_eq(key.name, "na'me");
	cr_expect_eq(key.version, 1);
	cr_assert_eq(key.n_scopes, 3);
	cr_expect_str_eq(key.scopes[0], "a");
	cr_expect_str_eq(key.scopes[1], "b \"c\"");
	cr_expect_str_eq(key.scopes[2], "");
	cr_expect(db_one(&f.call, &by_name, &key.base, "thing", 2,
			  (const char *const[]){ TENANT_A, "none" }) == ERR_NOT_FOUND);
	cr_expect_str_eq(f.call.fault.detail, "no thing none here");
	cr_expect(db_commit(f.db, &f.call) == OK);
}

Test(db, constraints_and_mistakes_have_their_codes)
{
	add_committed(TENANT_A, "one");
	cr_assert(db_begin(f.db, &f.call) == OK);
	cr_expect(DB_QUERY(&f.call, &add, NULL, TENANT_A, "one", "{}") == ERR_ALREADY_EXISTS);
	cr_expect_str_eq(db_constraint(f.db), "thing_name");
	/* A failed transaction can't be committed by mistake. */
	cr_expect(db_commit(f.db, &f.call) == ERR_INTERNAL);

	cr_assert(db_begin(f.db, &f.call) == OK);
	cr_expect(DB_QUERY(&f.call, &add, NULL, TENANT_A, "bad", "{}") == ERR_FAILED_PRECONDITION);
	db_rollback(f.db, &f.call);
	cr_assert(db_begin(f.db, &f.call) == OK);
	cr_expect(DB_QUERY(&f.call, &by_name, NULL, "no uuid", "x") == ERR_INVALID_ARGUMENT);
	db_rollback(f.db, &f.call);
	cr_assert(db_begin(f.db, &f.call) == OK);
	cr_expect(db_query(&f.call, &nonsense, NULL, 0, NULL) == ERR_INTERNAL);
	cr_expect(strstr(f.call.fault.detail, "nonsense") == NULL, "SQL shown to the caller");
	db_rollback(f.db, &f.call);
	cr_expect_eq(count_as(TENANT_A), 1);
}

Test(db, a_statement_ends_with_the_deadline)
{
	call_finish(&f.call);
	call_init(&f.call, NULL, "test", 200);
	cr_assert(db_begin(f.db, &f.call) == OK);
	cr_expect(db_query(&f.call, &sleep_long, NULL, 0, NULL) == ERR_DEADLINE_EXCEEDED);
	db_rollback(f.db, &f.call);
}

Test(db, a_database_that_takes_no_writes_is_unavailable)
{
	cr_assert(db_begin(f.db, &f.call) == OK);
	cr_assert(db_query(&f.call, &read_only, NULL, 0, NULL) == OK);
	cr_expect(DB_QUERY(&f.call, &add, NULL, TENANT_A, "one", "{}") == ERR_UNAVAILABLE);
	db_rollback(f.db, &f.call);
	cr_expect_eq(count_as(TENANT_A), 0);
}

Test(db, a_lost_connection_is_told_and_then_made_anew)
{
	cr_assert(db_begin(f.db, &f.call) == OK);
	cr_expect(db_query(&f.call, &kill_self, NULL, 0, NULL) == ERR_UNAVAILABLE);
	cr_expect(db_query(&f.call, &all, NULL, 0, NULL) == ERR_UNAVAILABLE);
	cr_expect(db_commit(f.db, &f.call) == ERR_UNAVAILABLE);
	cr_expect_eq(count_as(TENANT_A), 0);
}

Test(db, pages_walk_through_all_rows_once)
{
	char name[16], cursor[64] = "";
	size_t seen = 0, pages = 0;

	for (int i = 0; i < N_THINGS; i++) {
		snprintf(name, sizeof(name), "t%d", i);
		add_committed(TENANT_A, name);
	}
	do {
		Auth__TenantList list = AUTH__TENANT_LIST__INIT;

		cr_assert(db_begin(f.db, &f.call) == OK);
		cr_assert(db_page(&f.call, &page, &list.base, 0, 3,
				  (const char *const[]){ TENANT_A, cursor, "51" }) == OK);
		for (size_t i = 0; i < list.n_items; i++) {
			snprintf(name, sizeof(name), "t%zu", seen++);
			cr_assert_str_eq(list.items[i]->name, name);
		}
		snprintf(cursor, sizeof(cursor), "%s", list.next_cursor);
		db_rollback(f.db, &f.call);
		pages++;
	} while (*cursor != '\0');
	cr_expect_eq(seen, N_THINGS);
	cr_expect_eq(pages, 3);
}
