/*
 * provision for real: the service, auth, a PostgreSQL, and calls over the bus. Each test has
 * tenants of its own.
 */
#include "tests/component/service_fixture.h"

#include "lib/token.h"
#include "proto/auth.pb-c.h"
#include "proto/event.pb-c.h"
#include "proto/provision.pb-c.h"

#include <pthread.h>

#define THREADS	 8
#define EACH	 50
#define TEXT_LEN 64

#define SQL(name, text) static const struct db_statement name = { text }
#define PARAMS(...)                                                                                \
	sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(const char *), (const char *const[])      \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}

SQL(reset, "DELETE FROM fabric.instance WHERE id <> '" FIXTURE_SELF "'");

static struct fixture fixture;
static char auth_key_file[80];
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

static err_t make_network(struct step *step, const char *name, const char *ipv4, const char *ipv6,
	const Provision__Network **network)
{
	Provision__CreateNetworkRequest request = PROVISION__CREATE_NETWORK_REQUEST__INIT;

	request.name = (char *)(uintptr_t)name;
	request.ipv4 = (char *)(uintptr_t)ipv4;
	request.ipv6 = (char *)(uintptr_t)ipv6;
	return ASK_PROVISION(step, "CreateNetwork", &request, network);
}

/* A call that takes a Ref. */
static err_t ask_ref(
	struct step *step, const char *method, const char *id, int64_t version, const void **reply)
{
	Provision__Ref request = PROVISION__REF__INIT;

	request.id = (char *)(uintptr_t)id;
	request.version = version;
	return ASK_PROVISION(step, method, &request, reply);
}

static err_t make_member(struct step *step, const char *network, const char *device,
	const Provision__Member **member)
{
	Provision__CreateMemberRequest request = PROVISION__CREATE_MEMBER_REQUEST__INIT;

	request.network = (char *)(uintptr_t)network;
	request.device = (char *)(uintptr_t)device;
	return ASK_PROVISION(step, "CreateMember", &request, member);
}

/* Gives the secret of a new enrolment key. */
static const char *make_key(struct step *step, const char *network, unsigned max_uses, bool approve)
{
	static char *tags[] = { "roof", "west" };
	Auth__CreateEnrolmentKeyRequest request = AUTH__CREATE_ENROLMENT_KEY_REQUEST__INIT;
	const Auth__EnrolmentKey *key;
	static unsigned n;

	request.name = arena_printf(step->call.arena, "key-%u", ++n);
	request.network = (char *)(uintptr_t)network;
	request.max_uses = max_uses;
	request.approve = approve;
	request.tags = tags;
	request.n_tags = ARRAY_LEN(tags);
	ASSERT_OK(step, ASK_AUTH(step, "CreateEnrolmentKey", &request, &key));
	return key->secret;
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

/* Changes name or state; NULL leaves it. */
static err_t update_device(struct step *step, const char *id, int64_t version, const char *name,
	const char *state, const Provision__Device **device)
{
	Provision__UpdateDeviceRequest request = PROVISION__UPDATE_DEVICE_REQUEST__INIT;

	request.id = (char *)(uintptr_t)id;
	request.version = version;
	if (name != NULL) {
		request.set_name_case = PROVISION__UPDATE_DEVICE_REQUEST__SET_NAME_NAME;
		request.name = (char *)(uintptr_t)name;
	}
	if (state != NULL) {
		request.set_state_case = PROVISION__UPDATE_DEVICE_REQUEST__SET_STATE_STATE;
		request.state = (char *)(uintptr_t)state;
	}
	return ASK_PROVISION(step, "UpdateDevice", &request, device);
}

static err_t attach(struct step *step, const char *device, const char *network,
	const Provision__Attachment **attachment)
{
	Provision__AttachRequest request = PROVISION__ATTACH_REQUEST__INIT;

	request.device = (char *)(uintptr_t)device;
	request.network = (char *)(uintptr_t)network;
	return ASK_PROVISION(step, "Attach", &request, attachment);
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

static void setup(void)
{
	static char auth_setting[128];
	const char *const of_auth[] = { auth_setting, NULL };
	const char *const of_provision[] = { "LANYARD_DATAPLANE_URLS=wss://one/l2,wss://two/l2",
		NULL };
	FILE *key;

	fixture_open(&fixture, "test", NULL);
	fixture_sql(&fixture, &reset);
	snprintf(auth_key_file, sizeof(auth_key_file), "%s/auth", fixture.folder);
	key = fopen(auth_key_file, "we");
	cr_assert_not_null(key);
	fprintf(key, "%064d\n", 9);
	fclose(key);
	snprintf(auth_setting, sizeof(auth_setting), "LANYARD_AUTH_KEY_FILE=%s", auth_key_file);
	processes[0] = service_start(&fixture, "auth", of_auth);
	processes[1] = service_start(&fixture, "provision", of_provision);
	service_await(&fixture, "auth", 1);
	service_await(&fixture, "provision", 1);
	AWAIT(provision_reaches_auth());
}

static void teardown(void)
{
	for (size_t i = 0; i < ARRAY_LEN(processes); i++)
		service_stop(processes[i]);
	unlink(auth_key_file);
	fixture_close(&fixture);
}

TestSuite(provision, .init = setup, .fini = teardown, .timeout = 120);

/* ---- networks ---- */

Test(provision, a_network_gets_what_it_does_not_name)
{
	const Provision__Network *network, *again;
	AUTO_STEP step;

	step_open(&step, new_tenant());
	ASSERT_OK(&step, make_network(&step, "office", "10.77.0.0/24", "", &network));
	cr_assert_str_eq(network->name, "office");
	cr_assert_str_eq(network->ipv4, "10.77.0.0/24");
	cr_assert_eq(strncmp(network->ipv6, "fd", 2), 0, "%s", network->ipv6);
	cr_assert_not_null(strstr(network->ipv6, "/64"));
	cr_assert_eq(network->mtu, 1400);
	cr_assert_eq(network->version, 1);
	ASSERT_OK(&step, ask_ref(&step, "GetNetwork", network->id, 0, (const void **)&again));
	cr_assert_str_eq(again->ipv6, network->ipv6);
	cr_assert_str_eq(again->created_at, network->created_at);
	ASSERT_OK(&step, make_network(&step, "six", "", "fd12:3456:789a:1::/112", &network));
	cr_assert_str_eq(network->ipv4, "");
}

static const struct {
	const char *name, *ipv4, *ipv6;
	err_t err;
	const char *field;
} bad_networks[] = {
	{ "Office", "10.78.0.0/24", "", ERR_INVALID_ARGUMENT, "name" },
	{ "", "10.78.0.0/24", "", ERR_INVALID_ARGUMENT, "name" },
	{ "b", "10.78.0.1/24", "", ERR_INVALID_ARGUMENT, "ipv4" },
	{ "b", "10.78.0.0/31", "", ERR_INVALID_ARGUMENT, "ipv4" },
	{ "b", "127.0.0.0/8", "", ERR_INVALID_ARGUMENT, "ipv4" },
	{ "b", "'; DROP TABLE provision.network; --", "", ERR_INVALID_ARGUMENT, "ipv4" },
	{ "b", "", "fe80::/64", ERR_INVALID_ARGUMENT, "ipv6" },
	{ "office", "10.78.0.0/24", "", ERR_ALREADY_EXISTS, "name" },
	{ "b", "10.77.0.0/24", "", ERR_FAILED_PRECONDITION, "ipv4" },
	{ "b", "10.0.0.0/8", "", ERR_FAILED_PRECONDITION, "ipv4" },
	{ "b", "10.77.0.128/25", "", ERR_FAILED_PRECONDITION, "ipv4" },
	{ "b", "", "fd00:1:2:3::/64", ERR_FAILED_PRECONDITION, "ipv6" },
	{ "b", "", "fd00:1:2:3:8000::/112", ERR_FAILED_PRECONDITION, "ipv6" },
};

Test(provision, networks_of_one_tenant_are_apart)
{
	const Provision__Network *network;
	AUTO_STEP step;
	AUTO_STEP other;

	step_open(&step, new_tenant());
	step_open(&other, new_tenant());
	ASSERT_OK(
		&step, make_network(&step, "office", "10.77.0.0/24", "fd00:1:2:3::/64", &network));
	for (size_t i = 0; i < ARRAY_LEN(bad_networks); i++)
		ASSERT_REFUSED(&step,
			make_network(&step, bad_networks[i].name, bad_networks[i].ipv4,
				bad_networks[i].ipv6, &network),
			bad_networks[i].err, bad_networks[i].field);
	ASSERT_OK(&step, make_network(&step, "next", "10.77.1.0/24", "fd00:1:2:4::/64", &network));
	ASSERT_OK(&other,
		make_network(&other, "office", "10.77.0.0/24", "fd00:1:2:3::/64", &network));
}

Test(provision, a_network_changes_only_from_the_version_that_is_known)
{
	Provision__UpdateNetworkRequest request = PROVISION__UPDATE_NETWORK_REQUEST__INIT;
	const Provision__Network *network, *changed;
	const void *nothing;
	AUTO_STEP step;

	step_open(&step, new_tenant());
	ASSERT_OK(&step, make_network(&step, "office", "10.77.0.0/24", "", &network));
	request.id = network->id;
	request.set_mtu_case = PROVISION__UPDATE_NETWORK_REQUEST__SET_MTU_MTU;
	request.mtu = 1279;
	ASSERT_REFUSED(&step, ASK_PROVISION(&step, "UpdateNetwork", &request, &changed),
		ERR_INVALID_ARGUMENT, "mtu");
	request.mtu = 9000;
	request.version = 1;
	ASSERT_OK(&step, ASK_PROVISION(&step, "UpdateNetwork", &request, &changed));
	cr_assert_eq(changed->mtu, 9000);
	cr_assert_eq(changed->version, 2);
	ASSERT_REFUSED(&step, ASK_PROVISION(&step, "UpdateNetwork", &request, &changed),
		ERR_FAILED_PRECONDITION, "version");
	ASSERT_REFUSED(&step, ask_ref(&step, "DeleteNetwork", network->id, 1, &nothing),
		ERR_FAILED_PRECONDITION, "version");
	ASSERT_OK(&step, ask_ref(&step, "DeleteNetwork", network->id, 2, &nothing));
	ASSERT_REFUSED(
		&step, ask_ref(&step, "GetNetwork", network->id, 0, &nothing), ERR_NOT_FOUND, "");
}

Test(provision, pages_hold_every_network_once)
{
	Provision__ListRequest request = PROVISION__LIST_REQUEST__INIT;
	const Provision__NetworkList *list;
	const Provision__Network *network;
	size_t n = 0;
	AUTO_STEP step;

	step_open(&step, new_tenant());
	for (int i = 0; i < 7; i++)
		ASSERT_OK(&step, make_network(&step, arena_printf(step.call.arena, "n%d", i), "",
					 "", &network));
	request.limit = 3;
	do {
		ASSERT_OK(&step, ASK_PROVISION(&step, "ListNetworks", &request, &list));
		for (size_t i = 0; i < list->n_items; i++)
			cr_assert_str_eq(
				list->items[i]->name, arena_printf(step.call.arena, "n%zu", n++));
		request.cursor = list->next_cursor;
	} while (*list->next_cursor != '\0');
	cr_assert_eq(n, 7);
	request.name = (char *)(uintptr_t) "n5";
	ASSERT_OK(&step, ASK_PROVISION(&step, "ListNetworks", &request, &list));
	cr_assert_eq(list->n_items, 1);
	request.cursor = (char *)(uintptr_t) "n5";
	ASSERT_REFUSED(&step, ASK_PROVISION(&step, "ListNetworks", &request, &list),
		ERR_INVALID_ARGUMENT, "cursor");
}

/* ---- addresses ---- */

SQL(add_devices, "INSERT INTO provision.device (tenant_id, name, state, tags, enrolment_key_id)"
		 " SELECT $1::uuid, 'd' || n, 'approved', '{}', fabric.uuid7()"
		 " FROM generate_series(1, $2::int) n RETURNING id");
SQL(duplicates,
	"SELECT count(*) - count(DISTINCT (host)) + count(*) - count(DISTINCT (mac)) AS twice,"
	" count(*) AS n, min(host) AS first, max(host) AS last"
	" FROM provision.member WHERE tenant_id = $1 AND network_id = $2::uuid");

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

/* One thread admits its share of the devices, as fast as it can. */
struct crowd {
	const char *tenant, *network;
	const struct db_rows *devices;
	size_t first;
	size_t admitted, refused;
	pthread_t thread;
};

static void *admit(void *arg)
{
	struct crowd *crowd = arg;
	const Provision__Member *member;
	AUTO_STEP step;

	step_open(&step, crowd->tenant);
	for (size_t i = 0; i < EACH; i++) {
		err_t err = make_member(&step, crowd->network,
			db_text(crowd->devices, crowd->first + i, "id"), &member);

		crowd->admitted += err == OK;
		crowd->refused += err == ERR_RESOURCE_EXHAUSTED &&
				  strcmp(step.call.fault.field, "network") == 0;
	}
	return NULL;
}

/* All threads at once; gives how many devices were admitted. */
static size_t admit_all(const char *tenant, const char *network, const struct db_rows *devices)
{
	struct crowd crowds[THREADS] = { 0 };
	size_t admitted = 0, refused = 0;

	for (size_t i = 0; i < THREADS; i++) {
		crowds[i] = (struct crowd){
			.tenant = tenant, .network = network, .devices = devices, .first = i * EACH
		};
		cr_assert_eq(pthread_create(&crowds[i].thread, NULL, admit, &crowds[i]), 0);
	}
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(crowds[i].thread, NULL);
		admitted += crowds[i].admitted;
		refused += crowds[i].refused;
	}
	cr_assert_eq(admitted + refused, THREADS * EACH, "%zu + %zu", admitted, refused);
	return admitted;
}

static void check_full(struct step *step, const char *network, long long hosts)
{
	AUTO_ROWS rows = sql(step, &duplicates, PARAMS(step->call.tenant, network));

	cr_assert_eq(db_int(rows, 0, "twice"), 0);
	cr_assert_eq(db_int(rows, 0, "n"), hosts);
	cr_assert_eq(db_int(rows, 0, "first"), 1);
	cr_assert_eq(db_int(rows, 0, "last"), hosts);
}

static const struct {
	const char *ipv4, *ipv6;
	size_t hosts;
} sizes[] = {
	{ "10.77.0.0/24", "", 254 },
	{ "10.78.0.0/29", "", 6 },
	{ "10.79.0.0/30", "fd00:9::/112", 2 },
};

Test(provision, a_network_admits_as_many_as_fit_and_none_twice)
{
	const Provision__Network *network;
	const void *nothing;
	AUTO_STEP step;
	AUTO_ROWS devices = NULL;

	step_open(&step, new_tenant());
	devices = sql(&step, &add_devices, PARAMS(step.call.tenant, "400"));
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		ASSERT_OK(&step, make_network(&step, arena_printf(step.call.arena, "n%zu", i),
					 sizes[i].ipv4, sizes[i].ipv6, &network));
		cr_assert_eq(admit_all(step.call.tenant, network->id, devices), sizes[i].hosts);
		check_full(&step, network->id, (long long)sizes[i].hosts);
		ASSERT_REFUSED(&step, ask_ref(&step, "DeleteNetwork", network->id, 0, &nothing),
			ERR_FAILED_PRECONDITION, "id");
		cr_assert_not_null(strstr(step.call.fault.detail,
			arena_printf(step.call.arena, "%zu members", sizes[i].hosts)));
	}
}

SQL(members_of, "SELECT m.id, m.device_id FROM provision.member m WHERE tenant_id = $1"
		" AND network_id = $2::uuid ORDER BY host");

Test(provision, addresses_that_were_given_back_are_given_again)
{
	const Provision__Network *network;
	const Provision__Member *member, *second;
	const void *nothing;
	AUTO_STEP step;
	AUTO_ROWS devices = NULL;
	AUTO_ROWS members = NULL;

	step_open(&step, new_tenant());
	devices = sql(&step, &add_devices, PARAMS(step.call.tenant, "400"));
	ASSERT_OK(&step, make_network(&step, "n", "10.77.0.0/29", "fd00:7::/64", &network));
	ASSERT_OK(&step, make_member(&step, network->id, db_text(devices, 0, "id"), &member));
	cr_assert_str_eq(member->ipv4, "10.77.0.1/29");
	cr_assert_str_eq(member->ipv6, "fd00:7::1/64");
	ASSERT_OK(&step, ask_ref(&step, "DeleteMember", member->id, 0, &nothing));
	/* Not at once: names and neighbours may still remember who had it. */
	ASSERT_OK(&step, make_member(&step, network->id, db_text(devices, 0, "id"), &member));
	cr_assert_str_eq(member->ipv4, "10.77.0.2/29");
	ASSERT_REFUSED(&step, make_member(&step, network->id, db_text(devices, 0, "id"), &second),
		ERR_ALREADY_EXISTS, "device");
	ASSERT_OK(&step, ask_ref(&step, "DeleteMember", member->id, 0, &nothing));
	cr_assert_eq(admit_all(step.call.tenant, network->id, devices), 6);
	check_full(&step, network->id, 6);
	/* The one that has been free for longest comes first. */
	members = sql(&step, &members_of, PARAMS(step.call.tenant, network->id));
	for (size_t i = 6; i-- > 3;)
		ASSERT_OK(&step,
			ask_ref(&step, "DeleteMember", db_text(members, i, "id"), 0, &nothing));
	for (size_t i = 6; i-- > 3;) {
		ASSERT_OK(&step,
			make_member(&step, network->id, db_text(members, i, "device_id"), &member));
		cr_assert_str_eq(
			member->ipv4, arena_printf(step.call.arena, "10.77.0.%zu/29", i + 1));
	}
	check_full(&step, network->id, 6);
}

Test(provision, a_member_needs_a_device_and_a_network_of_its_tenant)
{
	const Provision__Network *network, *foreign;
	const Provision__Member *member;
	const char *nobody = "00000000-0000-7000-8000-0000000000ff";
	AUTO_STEP step;
	AUTO_STEP other;
	AUTO_ROWS devices = NULL;

	step_open(&step, new_tenant());
	step_open(&other, new_tenant());
	devices = sql(&step, &add_devices, PARAMS(step.call.tenant, "1"));
	ASSERT_OK(&step, make_network(&step, "n", "10.77.0.0/29", "", &network));
	ASSERT_OK(&other, make_network(&other, "n", "10.77.0.0/29", "", &foreign));
	ASSERT_REFUSED(
		&step, make_member(&step, network->id, nobody, &member), ERR_NOT_FOUND, "device");
	ASSERT_REFUSED(&step, make_member(&step, foreign->id, db_text(devices, 0, "id"), &member),
		ERR_NOT_FOUND, "network");
	ASSERT_REFUSED(&other, make_member(&other, foreign->id, db_text(devices, 0, "id"), &member),
		ERR_NOT_FOUND, "device");
	ASSERT_REFUSED(&step, make_member(&step, "n", db_text(devices, 0, "id"), &member),
		ERR_INVALID_ARGUMENT, "network");
}

/* ---- enrolment ---- */

SQL(uses_of, "SELECT uses FROM auth.enrolment_key WHERE tenant_id = $1 ORDER BY id");
SQL(devices_of, "SELECT count(*) AS n FROM provision.device WHERE tenant_id = $1");

static long long number(struct step *step, const struct db_statement *statement, const char *column)
{
	AUTO_ROWS rows = sql(step, statement, PARAMS(step->call.tenant));

	return db_int(rows, 0, column);
}

Test(provision, a_key_enrols_a_device_as_it_says)
{
	const Provision__Network *network;
	const Provision__Enrolment *enrolment;
	const Provision__Device *device;
	const Provision__MemberList *members;
	Provision__ListRequest list = PROVISION__LIST_REQUEST__INIT;
	Auth__Credential credential = AUTH__CREDENTIAL__INIT;
	const Auth__Principal *principal;
	AUTO_STEP step;

	step_open(&step, new_tenant());
	ASSERT_OK(&step, make_network(&step, "office", "10.77.0.0/24", "", &network));
	ASSERT_OK(
		&step, enrol(&step, make_key(&step, network->id, 0, true), "router-1", &enrolment));
	cr_assert_str_eq(enrolment->tenant, step.call.tenant);
	cr_assert_str_eq(enrolment->name, "router-1");
	cr_assert_str_eq(enrolment->state, "approved");
	ASSERT_OK(&step, ask_ref(&step, "GetDevice", enrolment->device, 0, (const void **)&device));
	cr_assert_eq(device->n_tags, 2);
	cr_assert_str_eq(device->tags[1], "west");
	cr_assert_str_eq(device->attached_at, "");
	list.device = enrolment->device;
	ASSERT_OK(&step, ASK_PROVISION(&step, "ListMembers", &list, &members));
	cr_assert_eq(members->n_items, 1);
	cr_assert_str_eq(members->items[0]->name, "router-1");
	cr_assert_str_eq(members->items[0]->ipv4, "10.77.0.1/24");
	/* The secret is one that auth knows. */
	credential.device = enrolment->device;
	credential.device_secret = enrolment->secret;
	step.call.tenant = CALL_FLEET;
	ASSERT_OK(&step, ASK_AUTH(&step, "Authenticate", &credential, &principal));
	cr_assert_str_eq(principal->tenant, enrolment->tenant);
}

Test(provision, a_key_that_is_wrong_or_used_up_enrols_nobody)
{
	const Provision__Enrolment *enrolment;
	const char *key;
	AUTO_STEP step;

	step_open(&step, new_tenant());
	key = make_key(&step, "", 2, false);
	ASSERT_REFUSED(
		&step, enrol(&step, "lye_no-key-at-all", "a", &enrolment), ERR_UNAUTHENTICATED, "");
	ASSERT_REFUSED(
		&step, enrol(&step, key, "No Label", &enrolment), ERR_INVALID_ARGUMENT, "name");
	ASSERT_OK(&step, enrol(&step, key, "a", &enrolment));
	cr_assert_str_eq(enrolment->state, "pending");
	ASSERT_REFUSED(&step, enrol(&step, make_key(&step, "", 0, false), "a", &enrolment),
		ERR_ALREADY_EXISTS, "name");
	ASSERT_OK(&step, enrol(&step, key, "b", &enrolment));
	ASSERT_REFUSED(&step, enrol(&step, key, "c", &enrolment), ERR_UNAUTHENTICATED, "");
	ASSERT_REFUSED(&step,
		enrol(&step, make_key(&step, "00000000-0000-7000-8000-0000000000ff", 0, false), "d",
			&enrolment),
		ERR_FAILED_PRECONDITION, "enrolment_key");
	cr_assert_eq(number(&step, &devices_of, "n"), 2);
}

Test(provision, a_retry_of_an_enrolment_is_the_same_enrolment)
{
	const Provision__Enrolment *first, *second;
	const char *key;
	AUTO_STEP step;

	step_open(&step, new_tenant());
	key = make_key(&step, "", 1, true);
	step.call.idempotency_key = step.call.trace;
	ASSERT_OK(&step, enrol(&step, key, "router-1", &first));
	ASSERT_OK(&step, enrol(&step, key, "router-1", &second));
	cr_assert_str_eq(first->device, second->device);
	cr_assert_str_eq(first->secret, second->secret);
	cr_assert_eq(number(&step, &uses_of, "uses"), 1);
	cr_assert_eq(number(&step, &devices_of, "n"), 1);
	ASSERT_REFUSED(&step, enrol(&step, key, "router-2", &second), ERR_INVALID_ARGUMENT,
		"Idempotency-Key");
}

struct enroller {
	const char *tenant, *key;
	size_t number;
	err_t err;
	pthread_t thread;
};

static void *enrol_one(void *arg)
{
	struct enroller *enroller = arg;
	const Provision__Enrolment *enrolment;
	AUTO_STEP step;

	step_open(&step, enroller->tenant);
	enroller->err = enrol(&step, enroller->key,
		arena_printf(step.call.arena, "router-%zu", enroller->number), &enrolment);
	return NULL;
}

Test(provision, a_key_has_no_more_uses_than_it_says)
{
	struct enroller enrollers[2 * THREADS] = { 0 };
	const Provision__Network *network;
	const char *key;
	size_t n = 0;
	AUTO_STEP step;

	step_open(&step, new_tenant());
	ASSERT_OK(&step, make_network(&step, "n", "10.77.0.0/24", "", &network));
	key = make_key(&step, network->id, 5, true);
	for (size_t i = 0; i < ARRAY_LEN(enrollers); i++) {
		enrollers[i] =
			(struct enroller){ .tenant = step.call.tenant, .key = key, .number = i };
		cr_assert_eq(
			pthread_create(&enrollers[i].thread, NULL, enrol_one, &enrollers[i]), 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(enrollers); i++) {
		pthread_join(enrollers[i].thread, NULL);
		cr_assert(enrollers[i].err == OK || enrollers[i].err == ERR_UNAUTHENTICATED, "%s",
			err_name(enrollers[i].err));
		n += enrollers[i].err == OK;
	}
	cr_assert_eq(n, 5);
	cr_assert_eq(number(&step, &devices_of, "n"), 5);
	check_full(&step, network->id, 5);
}

/* ---- states ---- */

/* One device goes through these, one after the other. */
static const struct {
	const char *to; /* by UpdateDevice, or "retired" by RetireDevice */
	err_t err;
	const char *field;
	const char *state; /* that it is in then */
	err_t attach;
} changes[] = {
	{ "pending", ERR_INVALID_ARGUMENT, "state", "pending", ERR_FAILED_PRECONDITION },
	{ "blocked", ERR_FAILED_PRECONDITION, "state", "pending", ERR_FAILED_PRECONDITION },
	{ "approved", OK, "", "approved", OK },
	{ "approved", OK, "", "approved", OK },
	{ "blocked", OK, "", "blocked", ERR_FAILED_PRECONDITION },
	{ "blocked", OK, "", "blocked", ERR_FAILED_PRECONDITION },
	{ "retired", OK, "", "retired", ERR_FAILED_PRECONDITION },
	{ "retired", OK, "", "retired", ERR_FAILED_PRECONDITION },
	{ "approved", ERR_FAILED_PRECONDITION, "state", "retired", ERR_FAILED_PRECONDITION },
	{ "blocked", ERR_FAILED_PRECONDITION, "state", "retired", ERR_FAILED_PRECONDITION },
};

static err_t change_state(struct step *step, const char *id, const char *to)
{
	const Provision__Device *device;

	if (strcmp(to, "retired") == 0)
		return ask_ref(step, "RetireDevice", id, 0, (const void **)&device);
	return update_device(step, id, 0, NULL, to, &device);
}

Test(provision, a_device_goes_from_state_to_state_as_allowed)
{
	const Provision__Network *network;
	const Provision__Enrolment *enrolment, *successor;
	const Provision__Attachment *attachment;
	const Provision__Device *device;
	AUTO_STEP step;

	step_open(&step, new_tenant());
	ASSERT_OK(&step, make_network(&step, "n", "10.77.0.0/24", "", &network));
	ASSERT_OK(&step, enrol(&step, make_key(&step, network->id, 0, false), "r", &enrolment));
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		ASSERT_REFUSED(&step, change_state(&step, enrolment->device, changes[i].to),
			changes[i].err, changes[i].field);
		ASSERT_OK(&step,
			ask_ref(&step, "GetDevice", enrolment->device, 0, (const void **)&device));
		cr_assert_str_eq(device->state, changes[i].state, "row %zu", i);
		cr_assert_eq(attach(&step, enrolment->device, "", &attachment), changes[i].attach,
			"row %zu: %s", i, step.call.fault.detail);
	}
	ASSERT_REFUSED(&step, update_device(&step, enrolment->device, 0, "other", NULL, &device),
		ERR_FAILED_PRECONDITION, "state");
	/* Its name is free again. */
	ASSERT_OK(&step, enrol(&step, make_key(&step, network->id, 0, false), "r", &successor));
	cr_assert_str_neq(successor->device, enrolment->device);
}

SQL(member_events, "SELECT encode(body, 'hex') AS body FROM fabric.event"
		   " WHERE tenant_id = $1 AND topic = 'member' ORDER BY id");
SQL(revoked_events, "SELECT count(*) AS n FROM fabric.event"
		    " WHERE tenant_id = $1 AND topic = 'revoked'");

/* What dns and dataplane are told while a device goes through its life. */
static const struct {
	const char *name;
	bool removed;
} told[] = {
	{ "r", true },	/* enrolled, pending */
	{ "r", false }, /* approved */
	{ "s", false }, /* renamed */
	{ "s", true },	/* blocked */
	{ "s", false }, /* approved again */
	{ "s", true },	/* member deleted */
	{ "s", false }, /* made a member again */
	{ "s", true },	/* retired */
};

static Event__Member *event_unpack(const char *hex)
{
	uint8_t packed[1024];
	size_t len = strlen(hex) / 2;

	cr_assert_leq(len, sizeof(packed));
	for (size_t i = 0; i < len; i++)
		cr_assert_eq(sscanf(hex + 2 * i, "%2hhx", &packed[i]), 1);
	return event__member__unpack(NULL, len, packed);
}

static void live_a_life(struct step *step, const char *network, const char *device)
{
	Provision__ListRequest list = PROVISION__LIST_REQUEST__INIT;
	const Provision__MemberList *members;
	const Provision__Member *member;
	const Provision__Device *changed;
	const void *nothing;

	ASSERT_OK(step, update_device(step, device, 1, NULL, "approved", &changed));
	ASSERT_OK(step, update_device(step, device, 2, "s", NULL, &changed));
	ASSERT_REFUSED(step, update_device(step, device, 2, "t", NULL, &changed),
		ERR_FAILED_PRECONDITION, "version");
	ASSERT_OK(step, update_device(step, device, 3, NULL, "blocked", &changed));
	ASSERT_OK(step, update_device(step, device, 4, NULL, "approved", &changed));
	list.network = (char *)(uintptr_t)network;
	ASSERT_OK(step, ASK_PROVISION(step, "ListMembers", &list, &members));
	cr_assert_eq(members->n_items, 1);
	cr_assert_eq(members->items[0]->version, 5);
	ASSERT_REFUSED(step, ask_ref(step, "DeleteMember", members->items[0]->id, 4, &nothing),
		ERR_FAILED_PRECONDITION, "version");
	ASSERT_OK(step, ask_ref(step, "DeleteMember", members->items[0]->id, 5, &nothing));
	ASSERT_OK(step, make_member(step, network, device, &member));
	ASSERT_OK(step, ask_ref(step, "RetireDevice", device, 0, &nothing));
	ASSERT_REFUSED(
		step, ask_ref(step, "GetMember", member->id, 0, &nothing), ERR_NOT_FOUND, "");
	ASSERT_REFUSED(step, make_member(step, network, device, &member), ERR_FAILED_PRECONDITION,
		"device");
}

Test(provision, everyone_is_told_of_each_change_of_a_member)
{
	const Provision__Network *network;
	const Provision__Enrolment *enrolment;
	AUTO_STEP step;
	AUTO_ROWS rows = NULL;

	step_open(&step, new_tenant());
	ASSERT_OK(&step, make_network(&step, "n", "10.77.0.0/24", "fd00:7::/64", &network));
	ASSERT_OK(&step, enrol(&step, make_key(&step, network->id, 0, false), "r", &enrolment));
	live_a_life(&step, network->id, enrolment->device);
	rows = sql(&step, &member_events, PARAMS(step.call.tenant));
	cr_assert_eq(db_count(rows), ARRAY_LEN(told));
	for (size_t i = 0; i < ARRAY_LEN(told); i++) {
		Event__Member *event = event_unpack(db_text(rows, i, "body"));

		cr_assert_not_null(event);
		cr_expect_str_eq(event->device_name, told[i].name, "event %zu", i);
		cr_expect_eq(event->removed, told[i].removed, "event %zu", i);
		cr_expect_str_eq(event->network, network->id);
		cr_expect_str_eq(event->network_name, "n");
		cr_expect_str_eq(event->device, enrolment->device);
		cr_expect_str_eq(event->ipv4, i < 6 ? "10.77.0.1" : "10.77.0.2");
		cr_expect_str_eq(event->ipv6, i < 6 ? "fd00:7::1" : "fd00:7::2");
		event__member__free_unpacked(event, NULL);
	}
	cr_assert_eq(number(&step, &revoked_events, "n"), 2); /* blocked, retired */
}

/* ---- attaching ---- */

static void check_token(
	struct step *step, const Provision__Attachment *attachment, const char *device)
{
	Auth__Empty empty = AUTH__EMPTY__INIT;
	const Auth__KeySet *set;
	struct token_keys *keys;
	struct token_claims claims;

	ASSERT_OK(step, ASK_AUTH(step, "GetKeys", &empty, &set));
	cr_assert_eq(token_keys_create(&keys, set->jwks), OK);
	cr_assert_eq(token_verify(keys, attachment->access_token, strlen(attachment->access_token),
			     "lanyard", clock_unix_ms() / 1000, &claims),
		OK);
	token_keys_destroy(keys);
	cr_assert_str_eq(claims.subject, arena_printf(step->call.arena, "device:%s", device));
	cr_assert_str_eq(claims.tenant, step->call.tenant);
	cr_assert_str_eq(claims.role, "device");
	cr_assert_eq(claims.n_scopes, 2);
	cr_assert_str_eq(claims.network, attachment->network);
	cr_assert_str_eq(claims.member, attachment->member);
	cr_assert_str_eq(claims.mac, attachment->mac);
	cr_assert_eq(claims.mac_limit, 1);
	cr_assert_eq(claims.policy_version, 1);
	cr_assert_eq(claims.expires_at - claims.issued_at, attachment->expires_in);
}

Test(provision, an_attached_device_has_all_that_it_needs)
{
	const Provision__Network *network;
	const Provision__Enrolment *enrolment;
	const Provision__Attachment *attachment;
	const Provision__Device *device;
	AUTO_STEP step;

	step_open(&step, new_tenant());
	ASSERT_OK(&step, make_network(&step, "office", "10.77.0.0/24", "fd00:7::/64", &network));
	ASSERT_OK(&step, enrol(&step, make_key(&step, network->id, 0, true), "r", &enrolment));
	ASSERT_OK(&step, attach(&step, enrolment->device, "", &attachment));
	cr_assert_str_eq(attachment->tenant, step.call.tenant);
	cr_assert_str_eq(attachment->network, network->id);
	cr_assert_str_eq(attachment->network_name, "office");
	cr_assert_str_eq(attachment->name, "r");
	cr_assert_str_eq(attachment->ipv4, "10.77.0.1/24");
	cr_assert_str_eq(attachment->ipv6, "fd00:7::1/64");
	cr_assert_eq(attachment->mtu, 1400);
	cr_assert_eq(attachment->n_urls, 2);
	cr_assert_str_eq(attachment->urls[1], "wss://two/l2");
	check_token(&step, attachment, enrolment->device);
	ASSERT_OK(&step, ask_ref(&step, "GetDevice", enrolment->device, 0, (const void **)&device));
	cr_assert_str_neq(device->attached_at, "");
	cr_assert_eq(device->version, 1);
}

Test(provision, a_device_of_several_networks_names_the_one_it_means)
{
	const Provision__Network *office, *lab;
	const Provision__Enrolment *enrolment;
	const Provision__Attachment *attachment;
	const Provision__Member *member;
	AUTO_STEP step;

	step_open(&step, new_tenant());
	ASSERT_OK(&step, make_network(&step, "office", "10.77.0.0/24", "", &office));
	ASSERT_OK(&step, make_network(&step, "lab", "", "", &lab));
	ASSERT_OK(&step, enrol(&step, make_key(&step, "", 0, true), "r", &enrolment));
	ASSERT_REFUSED(&step, attach(&step, enrolment->device, "", &attachment),
		ERR_FAILED_PRECONDITION, "network");
	ASSERT_OK(&step, make_member(&step, office->id, enrolment->device, &member));
	ASSERT_OK(&step, attach(&step, enrolment->device, "", &attachment));
	ASSERT_OK(&step, make_member(&step, lab->id, enrolment->device, &member));
	ASSERT_REFUSED(&step, attach(&step, enrolment->device, "", &attachment),
		ERR_INVALID_ARGUMENT, "network");
	ASSERT_OK(&step, attach(&step, enrolment->device, "lab", &attachment));
	cr_assert_str_eq(attachment->network, lab->id);
	cr_assert_str_eq(attachment->ipv4, "");
	ASSERT_OK(&step, attach(&step, enrolment->device, office->id, &attachment));
	cr_assert_str_eq(attachment->network_name, "office");
	ASSERT_REFUSED(&step, attach(&step, enrolment->device, "attic", &attachment), ERR_NOT_FOUND,
		"network");
}

/* ---- tenants ---- */

Test(provision, a_tenant_neither_sees_nor_changes_what_is_anothers)
{
	const Provision__Network *network, *changed;
	const Provision__NetworkList *networks;
	const Provision__DeviceList *devices;
	const Provision__Enrolment *enrolment;
	const Provision__Attachment *attachment;
	const Provision__Device *device;
	Provision__ListRequest list = PROVISION__LIST_REQUEST__INIT;
	const void *nothing;
	AUTO_STEP step;
	AUTO_STEP other;

	step_open(&step, new_tenant());
	step_open(&other, new_tenant());
	ASSERT_OK(&step, make_network(&step, "n", "10.77.0.0/24", "", &network));
	ASSERT_OK(&step, enrol(&step, make_key(&step, network->id, 0, true), "r", &enrolment));
	ASSERT_OK(&other, ASK_PROVISION(&other, "ListNetworks", &list, &networks));
	cr_assert_eq(networks->n_items, 0);
	ASSERT_OK(&other, ASK_PROVISION(&other, "ListDevices", &list, &devices));
	cr_assert_eq(devices->n_items, 0);
	ASSERT_REFUSED(&other,
		ask_ref(&other, "GetNetwork", network->id, 0, (const void **)&changed),
		ERR_NOT_FOUND, "");
	ASSERT_REFUSED(&other, ask_ref(&other, "DeleteNetwork", network->id, 0, &nothing),
		ERR_NOT_FOUND, "");
	ASSERT_REFUSED(&other,
		update_device(&other, enrolment->device, 0, NULL, "blocked", &device),
		ERR_NOT_FOUND, "");
	ASSERT_REFUSED(&other, ask_ref(&other, "RetireDevice", enrolment->device, 0, &nothing),
		ERR_NOT_FOUND, "");
	ASSERT_REFUSED(
		&other, attach(&other, enrolment->device, "", &attachment), ERR_NOT_FOUND, "");
	ASSERT_OK(&step, attach(&step, enrolment->device, "", &attachment));
}

static const struct db_statement visible[] = {
	{ "SELECT count(*) AS n FROM provision.network" },
	{ "SELECT count(*) AS n FROM provision.free_host" },
	{ "SELECT count(*) AS n FROM provision.device" },
	{ "SELECT count(*) AS n FROM provision.member" },
};

/* Counts rows as the service's role, for a tenant, without any WHERE. */
static long long count_visible(
	struct db *db, const char *tenant, const struct db_statement *statement)
{
	AUTO_ROWS rows = NULL;
	long long n;
	AUTO_STEP step;

	step_open(&step, tenant);
	ASSERT_OK(&step, db_begin(db, &step.call));
	ASSERT_OK(&step, db_query(&step.call, statement, &rows, 0, NULL));
	n = db_int(rows, 0, "n");
	db_rollback(db, &step.call);
	return n;
}

Test(provision, the_database_itself_keeps_tenants_apart)
{
	const Provision__Network *network;
	const Provision__Member *member;
	const void *nothing;
	char url[512];
	struct db *db;
	AUTO_STEP step;
	AUTO_ROWS devices = NULL;

	step_open(&step, new_tenant());
	devices = sql(&step, &add_devices, PARAMS(step.call.tenant, "1"));
	ASSERT_OK(&step, make_network(&step, "n", "10.77.0.0/24", "", &network));
	ASSERT_OK(&step, make_member(&step, network->id, db_text(devices, 0, "id"), &member));
	ASSERT_OK(&step, ask_ref(&step, "DeleteMember", member->id, 0, &nothing));
	ASSERT_OK(&step, make_member(&step, network->id, db_text(devices, 0, "id"), &member));
	snprintf(url, sizeof(url), "%s&user=lanyard_provision", fixture.url);
	db = db_create(url, "test");
	for (size_t i = 0; i < ARRAY_LEN(visible); i++) {
		cr_expect_eq(
			count_visible(db, step.call.tenant, &visible[i]), 1, "%s", visible[i].sql);
		cr_expect_eq(count_visible(db, new_tenant(), &visible[i]), 0, "%s", visible[i].sql);
		cr_expect_eq(count_visible(db, "", &visible[i]), 0, "%s", visible[i].sql);
	}
	db_destroy(db);
}
