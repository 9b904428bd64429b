/*
 * provision_fixture: the services provision and auth, a PostgreSQL, and calls over the bus. Each
 * test has tenants of its own.
 */
#pragma once

#include "tests/component/service_fixture.h"

#include "proto/auth.pb-c.h"
#include "proto/provision.pb-c.h"

#include <pthread.h>

#define THREADS	 8
#define TEXT_LEN 64
#define UNUSED	 __attribute__((unused))		/* by some of the programs */
#define NOBODY	 "00000000-0000-7000-8000-0000000000ff" /* nothing has this id */

#define SQL(name, text) static const struct db_statement name = { text }
#define PARAMS(...)                                                                                \
	sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(const char *), (const char *const[])      \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}

SQL(reset, "DELETE FROM fabric.instance WHERE id <> '" FIXTURE_SELF "'");

static struct fixture fixture;
static char auth_key_file[80];
static char bootstrap_file[80];
static char provision_key_file[80];
static pid_t processes[2];

/* ---- calls ---- */

/* One step of a test: calls with the same tenant; what they answered lives until it is over. */
struct step {
	struct call call;
};

static void step_open(struct step *step, const char *tenant)
{
	call_init(&step->call, fixture.bus, "service:test", FIXTURE_PATIENCE_MS);
	step->call.tenant = tenant;
}

static void step_close(struct step *step)
{
	call_finish(&step->call);
}

#define AUTO_STEP __attribute__((cleanup(step_close))) struct step

/* Calls and gives the reply; NULL if refused: see step->call.fault and `err`. */
static err_t ask(struct step *step, const ProtobufCServiceDescriptor *service, const char *method,
	const ProtobufCMessage *request, const void **reply)
{
	const ProtobufCMessage *message = NULL;
	err_t err;

	step->call.deadline_ms = clock_ms() + FIXTURE_PATIENCE_MS;
	step->call.fault = (struct fault){ 0 };
	err = bus_call(&step->call, service, method, request, &message);
	*reply = message;
	return err;
}

#define ASK_PROVISION(step, method, request, reply)                                                \
	ask(step, &provision__provision__descriptor, method, &(request)->base,                     \
		(const void **)(reply))
#define ASK_AUTH(step, method, request, reply)                                                     \
	ask(step, &auth__auth__descriptor, method, &(request)->base, (const void **)(reply))

/* Both of these show the refusal if there was one that should not be. */
#define ASSERT_OK(step, expression)                                                                \
	do {                                                                                       \
		err_t assert_err = (expression);                                                   \
		cr_assert_eq(assert_err, OK, "%s %s: %s", err_name(assert_err),                    \
			(step)->call.fault.field, (step)->call.fault.detail);                      \
	} while (0)
#define ASSERT_REFUSED(step, expression, want, want_field)                                         \
	do {                                                                                       \
		err_t assert_err = (expression);                                                   \
		cr_assert_eq(assert_err, want, "%s %s: %s", err_name(assert_err),                  \
			(step)->call.fault.field, (step)->call.fault.detail);                      \
		cr_assert_str_eq(                                                                  \
			(step)->call.fault.field, want_field, "%s", (step)->call.fault.detail);    \
	} while (0)

/* A new tenant; its id is static. */
static const char *new_tenant(void)
{
	static char ids[8][TEXT_LEN];
	static size_t n;
	Auth__CreateTenantRequest request = AUTH__CREATE_TENANT_REQUEST__INIT;
	const ProtobufCMessage *reply;
	char name[TEXT_LEN];
	struct call call;
	err_t err;

	cr_assert_lt(n, ARRAY_LEN(ids));
	snprintf(name, sizeof(name), "t-%d-%zu", (int)getpid(), n);
	request.name = name;
	err = fixture_call(&fixture, &call, CALL_FLEET, &auth__auth__descriptor, "CreateTenant",
		&request.base, &reply);
	cr_assert_eq(err, OK, "%s", call.fault.detail);
	snprintf(ids[n], TEXT_LEN, "%s", ((const Auth__Tenant *)reply)->id);
	call_finish(&call);
	return ids[n++];
}

UNUSED static err_t make_network(struct step *step, const char *name, const char *ipv4,
	const char *ipv6, const Provision__Network **network)
{
	Provision__CreateNetworkRequest request = PROVISION__CREATE_NETWORK_REQUEST__INIT;

	request.name = (char *)(uintptr_t)name;
	request.ipv4 = (char *)(uintptr_t)ipv4;
	request.ipv6 = (char *)(uintptr_t)ipv6;
	return ASK_PROVISION(step, "CreateNetwork", &request, network);
}

/* A call that takes a Ref. */
UNUSED static err_t ask_ref(
	struct step *step, const char *method, const char *id, int64_t version, const void **reply)
{
	Provision__Ref request = PROVISION__REF__INIT;

	request.id = (char *)(uintptr_t)id;
	request.version = version;
	return ASK_PROVISION(step, method, &request, reply);
}

UNUSED static err_t make_member(struct step *step, const char *network, const char *device,
	const Provision__Member **member)
{
	Provision__CreateMemberRequest request = PROVISION__CREATE_MEMBER_REQUEST__INIT;

	request.network = (char *)(uintptr_t)network;
	request.device = (char *)(uintptr_t)device;
	return ASK_PROVISION(step, "CreateMember", &request, member);
}

/* Enrols as the gateway does: with no tenant but the key's. */
static err_t enrol(struct step *step, const char *secret, const char *name,
	const Provision__Enrolment **enrolment)
{
	Provision__EnrolRequest request = PROVISION__ENROL_REQUEST__INIT;
	const char *tenant = step->call.tenant;
	err_t err;

	request.enrolment_key = (char *)(uintptr_t)secret;
	request.name = (char *)(uintptr_t)name;
	step->call.tenant = CALL_FLEET;
	err = ASK_PROVISION(step, "Enrol", &request, enrolment);
	step->call.tenant = tenant;
	return err;
}

/* Runs a statement as the superuser. */
static struct db_rows *sql(struct step *step, const struct db_statement *statement, size_t n,
	const char *const params[])
{
	struct db_rows *rows = NULL;

	ASSERT_OK(step, db_begin(fixture.db, &step->call));
	ASSERT_OK(step, db_query(&step->call, statement, &rows, n, params));
	ASSERT_OK(step, db_commit(fixture.db, &step->call));
	return rows;
}

/* ---- addresses ---- */

SQL(duplicates,
	"SELECT count(*) - count(DISTINCT (host)) + count(*) - count(DISTINCT (mac)) AS twice,"
	" count(*) AS n, min(host) AS first, max(host) AS last"
	" FROM provision.member WHERE tenant_id = $1 AND network_id = $2::uuid");

/* The network has exactly these many members, on the first addresses, and none twice. */
UNUSED static void check_full(struct step *step, const char *network, long long hosts)
{
	AUTO_ROWS rows = sql(step, &duplicates, PARAMS(step->call.tenant, network));

	cr_assert_eq(db_int(rows, 0, "twice"), 0);
	cr_assert_eq(db_int(rows, 0, "n"), hosts);
	cr_assert_eq(db_int(rows, 0, "first"), 1);
	cr_assert_eq(db_int(rows, 0, "last"), hosts);
}

/* ---- the services ---- */

/* Provision has heard of auth: a key that is none is auth's to refuse. */
static bool provision_reaches_auth(void)
{
	const Provision__Enrolment *enrolment;
	AUTO_STEP step;

	step_open(&step, "");
	return enrol(&step, "lye_none", "a", &enrolment) == ERR_UNAUTHENTICATED;
}

static void start_provision(void)
{
	static char key_setting[128];
	const char *const settings[] = { "LANYARD_DATAPLANE_URLS=wss://one/l2,wss://two/l2",
		key_setting, NULL };

	snprintf(key_setting, sizeof(key_setting), "LANYARD_PROVISION_KEY_FILE=%s",
		provision_key_file);
	processes[1] = service_start(&fixture, "provision", settings);
	service_await(&fixture, "provision", 1);
	AWAIT(provision_reaches_auth());
}

UNUSED static void restart_provision(void)
{
	service_stop(processes[1]);
	service_await(&fixture, "provision", 0);
	start_provision();
}

static void setup(void)
{
	static char auth_setting[128];
	static char bootstrap_setting[128];
	const char *const of_auth[] = { auth_setting, bootstrap_setting, NULL };
	FILE *key;

	fixture_open(&fixture, "test", NULL);
	fixture_sql(&fixture, &reset);
	snprintf(auth_key_file, sizeof(auth_key_file), "%s/auth", fixture.folder);
	key = fopen(auth_key_file, "we");
	cr_assert_not_null(key);
	fprintf(key, "%064d\n", 9);
	fclose(key);
	snprintf(auth_setting, sizeof(auth_setting), "LANYARD_AUTH_KEY_FILE=%s", auth_key_file);
	snprintf(bootstrap_file, sizeof(bootstrap_file), "%s/admin", fixture.folder);
	snprintf(bootstrap_setting, sizeof(bootstrap_setting), "LANYARD_BOOTSTRAP_FILE=%s",
		bootstrap_file);
	snprintf(
		provision_key_file, sizeof(provision_key_file), "%s/provision-key", fixture.folder);
	key = fopen(provision_key_file, "we");
	cr_assert_not_null(key);
	fprintf(key, "1:%064d\n", 7);
	fclose(key);
	processes[0] = service_start(&fixture, "auth", of_auth);
	service_await(&fixture, "auth", 1);
	start_provision();
}

static void teardown(void)
{
	for (size_t i = 0; i < ARRAY_LEN(processes); i++)
		service_stop(processes[i]);
	unlink(auth_key_file);
	unlink(provision_key_file);
	unlink(bootstrap_file); /* only the first start on a database writes it */
	fixture_close(&fixture);
}
