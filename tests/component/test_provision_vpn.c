/*
 * provision for real: VPN servers, who may connect to them, which address they get, and who had it.
 * With a real OpenVPN: tests/e2e/test_openvpn.py. Numbers are those of the statements of the
 * contract of apps.
 */
#include "tests/component/vpn_fixture.h"

#include "proto/certificates.pb-c.h"
#include "proto/group.pb-c.h"

TestSuite(provision_vpn, .init = setup, .fini = teardown, .timeout = 120);

/* ---- calls ---- */

static const char *make_certificate(struct world *world, const char *kind, const char *subject)
{
	Provision__IssueCertificateRequest request = PROVISION__ISSUE_CERTIFICATE_REQUEST__INIT;
	const Provision__Certificate *certificate;

	request.kind = (char *)(uintptr_t)kind;
	request.subject = (char *)(uintptr_t)subject;
	ASSERT_OK(&world->step,
		ASK(&world->step, certificates, "IssueCertificate", &request, &certificate));
	return certificate->serial;
}

static void make_profile(struct world *world)
{
	Provision__ProfileRequest request = office_profile(world);

	ASSERT_OK(&world->step,
		ASK(&world->step, profiles, "CreateProfile", &request, &world->profile));
}

static void replace_profile(struct world *world, Provision__ProfileRequest request)
{
	const Provision__Profile *profile;

	request.id = world->profile->id;
	ASSERT_OK(&world->step, ASK(&world->step, profiles, "ReplaceProfile", &request, &profile));
}

/* NULL: for everybody. */
static void set_profile_group(struct world *world, const char *group)
{
	Provision__ProfileRequest request = office_profile(world);

	request.groups = (char **)(uintptr_t)&group;
	request.n_groups = group != NULL;
	replace_profile(world, request);
}

static void require_code(struct world *world)
{
	Provision__ProfileRequest request = office_profile(world);

	request.two_factor = true;
	replace_profile(world, request);
}

/* What an app of the user gets; the newest certificate of the user is its. */
static const char *make_keypair(struct world *world, const char *user)
{
	Provision__KeypairRequest request = PROVISION__KEYPAIR_REQUEST__INIT;
	Provision__ListCertificatesRequest list = PROVISION__LIST_CERTIFICATES_REQUEST__INIT;
	Provision__App app = app_of(world, user);
	const Provision__CertificateList *certificates;
	const Provision__Keypair *keypair;

	request.app = &app;
	request.display_name = "phone";
	ASSERT_OK(&world->step, ASK(&world->step, profiles, "CreateKeypair", &request, &keypair));
	list.subject = app.user;
	ASSERT_OK(&world->step,
		ASK(&world->step, certificates, "ListCertificates", &list, &certificates));
	return certificates->items[certificates->n_items - 1]->serial;
}

static void start(struct world *world)
{
	Provision__StartVpnServerRequest request = PROVISION__START_VPN_SERVER_REQUEST__INIT;
	const Provision__VpnServerStart *reply;

	request.device = world->server->device;
	ASSERT_OK(&world->step, ASK(&world->step, vpn, "StartVpnServer", &request, &reply));
	cr_assert(strstr(reply->trust, "BEGIN CERTIFICATE") != NULL);
	world->run = reply->run;
}

static void open_world(struct world *world)
{
	Provision__CreateVpnServerRequest request = PROVISION__CREATE_VPN_SERVER_REQUEST__INIT;

	step_open(&world->step, new_tenant());
	world->carried = 5000000000;
	ASSERT_OK(&world->step,
		make_network(&world->step, "office", "10.9.0.0/29", "fd09::/64", &world->network));
	request.device = (char *)(uintptr_t)make_device(world, "concentrator");
	request.network = world->network->id;
	request.host = "vpn.example.org";
	ASSERT_OK(
		&world->step, ASK(&world->step, vpn, "CreateVpnServer", &request, &world->server));
	make_profile(world);
	start(world);
}

static err_t try_connect(
	struct world *world, const char *serial, const Provision__VpnDecision **decision)
{
	Provision__AuthorizeVpnConnectionRequest request =
		PROVISION__AUTHORIZE_VPN_CONNECTION_REQUEST__INIT;

	request.device = world->server->device;
	request.server = world->server->id;
	request.run = (char *)(uintptr_t)world->run;
	request.serial = (char *)(uintptr_t)serial;
	request.source = "192.0.2.1:4000";
	return ASK(&world->step, vpn, "AuthorizeVpnConnection", &request, decision);
}

static const Provision__VpnDecision *connect_with(struct world *world, const char *serial)
{
	const Provision__VpnDecision *decision;

	ASSERT_OK(&world->step, try_connect(world, serial, &decision));
	return decision;
}

/* Is the connection unwelcome? With `gone` the server says that it is over. */
static bool report(struct world *world, const char *connection, bool gone)
{
	Provision__ReportVpnConnectionsRequest request =
		PROVISION__REPORT_VPN_CONNECTIONS_REQUEST__INIT;
	Provision__VpnConnectionReport item = PROVISION__VPN_CONNECTION_REPORT__INIT;
	Provision__VpnConnectionReport *items = &item;
	const Provision__VpnVerdict *verdict;

	item.connection = (char *)(uintptr_t)connection;
	item.bytes_in = 1000;
	item.bytes_out = world->carried;
	item.gone = gone;
	request.device = world->server->device;
	request.server = world->server->id;
	request.run = (char *)(uintptr_t)world->run;
	request.items = &items;
	request.n_items = 1;
	ASSERT_OK(&world->step, ASK(&world->step, vpn, "ReportVpnConnections", &request, &verdict));
	for (size_t i = 0; i < verdict->n_unwelcome; i++)
		if (strcmp(verdict->unwelcome[i], connection) == 0)
			return true;
	return false;
}

static const Provision__VpnConnectionList *look(
	struct world *world, const char *address, const char *at)
{
	Provision__ListVpnConnectionsRequest request =
		PROVISION__LIST_VPN_CONNECTIONS_REQUEST__INIT;
	const Provision__VpnConnectionList *list;

	request.address = (char *)(uintptr_t)address;
	request.at = (char *)(uintptr_t)at;
	ASSERT_OK(&world->step, ASK(&world->step, vpn, "ListVpnConnections", &request, &list));
	return list;
}

static void set_state(struct world *world, const char *device, const char *state)
{
	Provision__UpdateDeviceRequest request = PROVISION__UPDATE_DEVICE_REQUEST__INIT;
	const Provision__Device *reply;

	request.id = (char *)(uintptr_t)device;
	request.set_state_case = PROVISION__UPDATE_DEVICE_REQUEST__SET_STATE_STATE;
	request.state = (char *)(uintptr_t)state;
	ASSERT_OK(&world->step, ASK_PROVISION(&world->step, "UpdateDevice", &request, &reply));
}

static void block_user(struct world *world, const char *user)
{
	Auth__UpdateUserRequest request = AUTH__UPDATE_USER_REQUEST__INIT;
	const Auth__User *reply;

	request.id = (char *)(uintptr_t)user;
	request.set_state_case = AUTH__UPDATE_USER_REQUEST__SET_STATE_STATE;
	request.state = "blocked";
	ASSERT_OK(&world->step, ASK_AUTH(&world->step, "UpdateUser", &request, &reply));
}

static void age(struct world *world, const struct db_statement *statement)
{
	db_rows_destroy_at(&(struct db_rows *){
		sql(&world->step, statement, PARAMS(world->step.call.tenant)) });
}

/* ---- tests ---- */

Test(provision_vpn, the_device_of_a_tap_server_becomes_a_bridge)
{
	Provision__ListRequest list = PROVISION__LIST_REQUEST__INIT;
	const Provision__MemberList *members;
	AUTO_WORLD world;

	open_world(&world);
	list.network = world.network->id;
	list.device = world.server->device;
	ASSERT_OK(&world.step, ASK_PROVISION(&world.step, "ListMembers", &list, &members));
	cr_assert(members->items[0]->bridge);
	cr_assert_eq(members->items[0]->mac_limit, 252);
}

/* 88, 90, 96 */
Test(provision_vpn, a_device_has_the_address_of_its_member_and_stands_in_the_log)
{
	const Provision__VpnDecision *decision;
	const Provision__VpnConnectionList *log;
	const char *device;
	AUTO_WORLD world;

	open_world(&world);
	device = make_device(&world, "pump");
	decision = connect_with(&world, make_certificate(&world, "device", device));
	cr_assert(decision->allowed, "%s", decision->reason);
	cr_assert_str_eq(decision->ipv4, "10.9.0.2/29");
	cr_assert_str_eq(decision->ipv6, "fd09::2/64");
	log = look(&world, "10.9.0.2", "");
	cr_assert_eq(log->n_items, 1);
	cr_assert_str_eq(log->items[0]->subject, device);
	cr_assert_str_eq(log->items[0]->ended_at, "");
	cr_assert_not(report(&world, decision->connection, true));
	log = look(&world, "fd09::2", log->items[0]->started_at);
	cr_assert_eq(log->n_items, 1);
	cr_assert_neq(*log->items[0]->ended_at, '\0');
	cr_assert_eq(log->items[0]->bytes_out, 5000000000);
	cr_assert_not(log->items[0]->lost);
	cr_assert_eq(look(&world, "10.9.0.2", "2020-01-01T00:00:00Z")->n_items, 0);
	cr_assert_eq(look(&world, "10.9.0.3", "")->n_items, 0);
}

/* 89, 92: of devices */
Test(provision_vpn, who_is_blocked_has_to_go_and_comes_in_no_more)
{
	const Provision__VpnDecision *decision, *again;
	const char *device, *serial;
	AUTO_WORLD world;

	open_world(&world);
	device = make_device(&world, "pump");
	serial = make_certificate(&world, "device", device);
	decision = connect_with(&world, serial);
	cr_assert_not(report(&world, decision->connection, false));
	set_state(&world, device, "blocked");
	cr_assert(report(&world, decision->connection, false));
	cr_assert_not(report(&world, decision->connection, true));
	again = connect_with(&world, serial);
	cr_assert_not(again->allowed);
	cr_assert_str_eq(again->reason, "the device is blocked");
	cr_assert_eq(look(&world, "", "")->n_items, 1);
	set_state(&world, device, "approved");
	cr_assert(connect_with(&world, serial)->allowed);
}

Test(provision_vpn, strangers_and_servers_are_refused)
{
	static const char unknown[] = "00000000000000000000000000000001";
	AUTO_WORLD world;

	open_world(&world);
	cr_assert_str_eq(
		connect_with(&world, unknown)->reason, "user or certificate does not exist");
	cr_assert_str_eq(connect_with(&world, "x")->reason, "user or certificate does not exist");
	cr_assert_str_eq(
		connect_with(&world, make_certificate(&world, "server", "a.example"))->reason,
		"the certificate is a server's");
	cr_assert_str_eq(connect_with(&world, make_certificate(&world, "user", NOBODY))->reason,
		"user or certificate does not exist");
}

/* 92: of people */
Test(provision_vpn, a_user_has_an_address_for_a_while_and_is_thrown_out_when_blocked)
{
	const Provision__VpnDecision *one, *two, *again;
	const char *user, *first;
	AUTO_WORLD world;

	open_world(&world);
	user = make_user(&world, "jane");
	first = make_keypair(&world, user);
	one = connect_with(&world, first);
	two = connect_with(&world, make_keypair(&world, user));
	cr_assert(one->allowed && two->allowed);
	cr_assert_str_neq(one->ipv4, two->ipv4);
	again = connect_with(&world, first);
	cr_assert_str_eq(again->ipv4, one->ipv4);
	cr_assert(report(&world, one->connection, false), "the same certificate is here again");
	cr_assert_not(report(&world, again->connection, false));
	block_user(&world, user);
	AWAIT(report(&world, again->connection, false));
	cr_assert(report(&world, two->connection, false));
	cr_assert_str_eq(connect_with(&world, first)->reason,
		"[VPN] unable to connect, account is disabled");
}

/* A group of the user, which the profile is for. */
static Auth__ChangeGroupMembersRequest close_profile(struct world *world, char **user)
{
	Auth__CreateGroupRequest group = AUTH__CREATE_GROUP_REQUEST__INIT;
	Auth__ChangeGroupMembersRequest members = AUTH__CHANGE_GROUP_MEMBERS_REQUEST__INIT;
	const Auth__Group *made;
	const void *reply;

	group.name = "staff";
	ASSERT_OK(&world->step, ask(&world->step, &auth__groups__descriptor, "CreateGroup",
					&group.base, (const void **)&made));
	members.id = made->id;
	members.add = user;
	members.n_add = 1;
	ASSERT_OK(&world->step, ask(&world->step, &auth__groups__descriptor, "ChangeGroupMembers",
					&members.base, &reply));
	set_profile_group(world, "staff");
	members.n_add = 0;
	members.remove = user;
	members.n_remove = 1;
	return members;
}

/* 89, 92 */
Test(provision_vpn, who_leaves_the_group_has_to_go_and_comes_in_no_more)
{
	static const char reason[] =
		"[VPN] unable to connect, account not a member of required group";
	Auth__ChangeGroupMembersRequest leaving;
	const Provision__VpnDecision *decision;
	const char *user, *serial;
	const void *reply;
	AUTO_WORLD world;

	open_world(&world);
	user = make_user(&world, "jane");
	serial = make_keypair(&world, user);
	leaving = close_profile(&world, (char **)(uintptr_t)&user);
	decision = connect_with(&world, serial);
	cr_assert(decision->allowed, "%s", decision->reason);
	cr_assert_not(report(&world, decision->connection, false));
	ASSERT_OK(&world.step, ask(&world.step, &auth__groups__descriptor, "ChangeGroupMembers",
				       &leaving.base, &reply));
	AWAIT(report(&world, decision->connection, false));
	cr_assert_str_eq(connect_with(&world, serial)->reason, reason);
	set_profile_group(&world, NULL);
	decision = connect_with(&world, serial);
	cr_assert(decision->allowed, "%s", decision->reason);
	cr_assert_not(report(&world, decision->connection, false));
	set_profile_group(&world, "staff");
	cr_assert(report(&world, decision->connection, false));
}

/* What an operator made is no way around groups. */
Test(provision_vpn, a_certificate_without_an_app_opens_what_its_user_may)
{
	Auth__ChangeGroupMembersRequest leaving;
	const char *user, *serial;
	const void *reply;
	AUTO_WORLD world;

	open_world(&world);
	user = make_user(&world, "jane");
	serial = make_certificate(&world, "user", user);
	leaving = close_profile(&world, (char **)(uintptr_t)&user);
	cr_assert(connect_with(&world, serial)->allowed);
	ASSERT_OK(&world.step, ask(&world.step, &auth__groups__descriptor, "ChangeGroupMembers",
				       &leaving.base, &reply));
	cr_assert_str_eq(connect_with(&world, serial)->reason,
		"[VPN] unable to connect, account not a member of required group");
	set_profile_group(&world, NULL);
	require_code(&world);
	cr_assert_str_eq(connect_with(&world, serial)->reason, "[VPN] invalid two factor type");
}

/* A /29 has six addresses: one for the server. */
Test(provision_vpn, a_full_network_refuses_and_addresses_come_back)
{
	const Provision__VpnDecision *decision = NULL;
	const char *user;
	AUTO_WORLD world;

	open_world(&world);
	user = make_user(&world, "jane");
	for (int i = 0; i < 5; i++) {
		decision = connect_with(&world, make_keypair(&world, user));
		cr_assert(decision->allowed);
	}
	cr_assert_str_eq(connect_with(&world, make_keypair(&world, user))->reason,
		"the network has no free address left");
	report(&world, decision->connection, true);
	cr_assert_str_eq(connect_with(&world, make_keypair(&world, user))->ipv4, decision->ipv4);
}

/* 93 */
Test(provision_vpn, a_server_that_begins_anew_has_lost_its_connections)
{
	const Provision__VpnDecision *decision;
	const Provision__VpnConnectionList *log;
	struct world before;
	const char *serial;
	AUTO_WORLD world;

	open_world(&world);
	serial = make_keypair(&world, make_user(&world, "jane"));
	decision = connect_with(&world, serial);
	before = world;
	start(&world);
	log = look(&world, "", "");
	cr_assert(log->items[0]->lost && *log->items[0]->ended_at != '\0');
	cr_assert_str_eq(connect_with(&world, serial)->ipv4, decision->ipv4);
	ASSERT_REFUSED(&before.step, try_connect(&before, serial, &decision),
		ERR_FAILED_PRECONDITION, "run");
}

SQL(silence, "UPDATE provision.vpn_server SET reported_at = reported_at - interval '1 minute'"
	     " WHERE tenant_id = $1");

static bool is_lost(struct world *world)
{
	const Provision__VpnConnection *connection = look(world, "", "")->items[0];

	return connection->lost && strcmp(connection->ended_at, "") != 0;
}

/* A server that was only cut off hears that its connections are over. */
Test(provision_vpn, a_silent_server_has_lost_its_connections)
{
	const Provision__VpnDecision *decision;
	AUTO_WORLD world;

	open_world(&world);
	decision = connect_with(&world, make_keypair(&world, make_user(&world, "jane")));
	age(&world, &silence);
	AWAIT(is_lost(&world));
	cr_assert(report(&world, decision->connection, false));
	cr_assert_not(report(&world, decision->connection, true));
}

SQL(years, "UPDATE provision.vpn_connection SET started_at = started_at - interval '33 days',"
	   " ended_at = ended_at - interval '33 days' WHERE tenant_id = $1");

/* 97: the log */
Test(provision_vpn, the_log_is_kept_for_32_days)
{
	const Provision__VpnDecision *decision;
	AUTO_WORLD world;

	open_world(&world);
	decision = connect_with(&world, make_keypair(&world, make_user(&world, "jane")));
	report(&world, decision->connection, true);
	age(&world, &years);
	restart_provision();
	AWAIT(look(&world, "", "")->n_items == 0);
}

SQL(yesterday, "UPDATE provision.vpn_connection SET profile_id = 'office',"
	       " started_at = started_at - interval '1 day' WHERE tenant_id = $1");

static void assert_used(struct world *world, const char *day)
{
	Provision__Empty nothing = PROVISION__EMPTY__INIT;
	const Provision__VpnStatistics *statistics;

	ASSERT_OK(&world->step, ASK(&world->step, vpn, "GetVpnStatistics", &nothing, &statistics));
	cr_assert_not_null(strstr(statistics->json, day), "%s", statistics->json);
}

/* 98: what was carried counts on its day */
Test(provision_vpn, a_connection_that_lasts_over_midnight)
{
	const Provision__VpnDecision *decision;
	AUTO_WORLD world;

	open_world(&world);
	decision = connect_with(&world, make_keypair(&world, make_user(&world, "jane")));
	report(&world, decision->connection, false);
	age(&world, &yesterday);
	world.carried += 77;
	report(&world, decision->connection, false);
	world.carried += 300;
	report(&world, decision->connection, true);
	assert_used(&world, "\"number_of_connections\" : 1, \"bytes_transferred\" : 5000001000,");
	assert_used(&world, "\"number_of_connections\" : 1, \"bytes_transferred\" : 377,");
	assert_used(&world, "\"total_traffic\" : 5000001377, \"max_concurrent_connections\" : 1,");
}

static bool refuses(struct world *world, const char *device, const char *network)
{
	Provision__CreateVpnServerRequest request = PROVISION__CREATE_VPN_SERVER_REQUEST__INIT;
	const Provision__VpnServer *server;

	request.device = (char *)(uintptr_t)device;
	request.network = (char *)(uintptr_t)network;
	request.host = "vpn.example.org";
	return ASK(&world->step, vpn, "CreateVpnServer", &request, &server) ==
		       ERR_FAILED_PRECONDITION &&
	       strcmp(world->step.call.fault.field, "device") == 0;
}

Test(provision_vpn, servers_belong_to_devices_of_the_network)
{
	Provision__StartVpnServerRequest other = PROVISION__START_VPN_SERVER_REQUEST__INIT;
	const Provision__VpnServerStart *started;
	AUTO_WORLD world;

	open_world(&world);
	cr_assert(refuses(&world, NOBODY, world.network->id));
	other.device = (char *)(uintptr_t)make_device(&world, "other");
	other.server = world.server->id;
	ASSERT_REFUSED(&world.step, ASK(&world.step, vpn, "StartVpnServer", &other, &started),
		ERR_NOT_FOUND, "server");
	set_state(&world, world.server->device, "blocked");
	other.device = world.server->device;
	ASSERT_REFUSED(&world.step, ASK(&world.step, vpn, "StartVpnServer", &other, &started),
		ERR_NOT_FOUND, "server");
}
