/*
 * provision for real: networks and the addresses of their members, and how tenants are kept apart.
 */
#include "tests/component/provision_fixture.h"

#define EACH 50 /* devices of one thread */

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
	AUTO_STEP step;
	AUTO_STEP other;
	AUTO_ROWS devices = NULL;

	step_open(&step, new_tenant());
	step_open(&other, new_tenant());
	devices = sql(&step, &add_devices, PARAMS(step.call.tenant, "1"));
	ASSERT_OK(&step, make_network(&step, "n", "10.77.0.0/29", "", &network));
	ASSERT_OK(&other, make_network(&other, "n", "10.77.0.0/29", "", &foreign));
	ASSERT_REFUSED(
		&step, make_member(&step, network->id, NOBODY, &member), ERR_NOT_FOUND, "device");
	ASSERT_REFUSED(&step, make_member(&step, foreign->id, db_text(devices, 0, "id"), &member),
		ERR_NOT_FOUND, "network");
	ASSERT_REFUSED(&other, make_member(&other, foreign->id, db_text(devices, 0, "id"), &member),
		ERR_NOT_FOUND, "device");
	ASSERT_REFUSED(&step, make_member(&step, "n", db_text(devices, 0, "id"), &member),
		ERR_INVALID_ARGUMENT, "network");
}

/* ---- tenants ---- */

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
