/*
 * provision for real: peers of WireGuard: who gets which, what their server is told, and when they
 * end. With a real WireGuard: tests/e2e/test_openvpn_people.py. Numbers are those of the statements
 * of the contract of apps.
 */
#include "tests/component/vpn_fixture.h"

#include "proto/wireguard.pb-c.h"

TestSuite(provision_wireguard, .init = setup, .fini = teardown, .timeout = 120);

#define SERVER_KEY "iWAHXts9w9fQVEbA5pVriPlAYMwwEPD5XcVCZDZn1AE="

/* ---- calls ---- */

static Provision__ProfileRequest profile_request(const struct world *world)
{
	static char *ports[] = { "udp/1194", "tcp/443" }, *protocols[] = { "wireguard", "openvpn" };
	Provision__ProfileRequest request = office_profile(world);

	request.ports = ports;
	request.n_ports = ARRAY_LEN(ports);
	request.protocols = protocols;
	request.n_protocols = ARRAY_LEN(protocols);
	return request;
}

static err_t try_server(struct world *world, Provision__CreateVpnServerRequest *request,
	const Provision__VpnServer **server)
{
	request->kind = "wireguard";
	return ASK(&world->step, vpn, "CreateVpnServer", request, server);
}

static err_t try_start(
	struct world *world, const char *key, const Provision__WireguardServerStart **start)
{
	Provision__StartWireguardServerRequest request =
		PROVISION__START_WIREGUARD_SERVER_REQUEST__INIT;

	request.device = world->server->device;
	request.public_key = (char *)(uintptr_t)key;
	return ASK(&world->step, wireguard, "StartWireguardServer", &request, start);
}

static void start(struct world *world)
{
	const Provision__WireguardServerStart *reply;

	ASSERT_OK(&world->step, try_start(world, SERVER_KEY, &reply));
	world->run = reply->run;
}

static void open_world(struct world *world)
{
	Provision__CreateVpnServerRequest request = PROVISION__CREATE_VPN_SERVER_REQUEST__INIT;
	Provision__ProfileRequest profile;

	step_open(&world->step, new_tenant());
	ASSERT_OK(&world->step,
		make_network(&world->step, "office", "10.9.0.0/29", "fd09::/64", &world->network));
	profile = profile_request(world);
	ASSERT_OK(&world->step,
		ASK(&world->step, profiles, "CreateProfile", &profile, &world->profile));
	request.device = (char *)(uintptr_t)make_device(world, "concentrator");
	request.profile = world->profile->id;
	ASSERT_OK(&world->step, try_server(world, &request, &world->server));
	start(world);
}

/* Each app has an authorization of its own, and a key. */
struct app {
	Provision__App message;
	char key[64];
};

static struct app *make_app(struct world *world, const char *user)
{
	static unsigned n;
	struct app *app = arena_alloc(world->step.call.arena, sizeof(*app));

	app->message = app_of(world, user);
	snprintf(app->key, sizeof(app->key), "%042uA=", ++n);
	return app;
}

/* How an app connects. */
struct manner {
	bool only_wireguard, no_key, prefer_tcp;
};

static err_t try_connect(struct world *world, struct app *app, struct manner manner,
	const Provision__AppConfig **config)
{
	static char *protocols[] = { "wireguard", "openvpn" };
	Provision__ConnectRequest request = PROVISION__CONNECT_REQUEST__INIT;

	request.app = &app->message;
	request.profile_id = "office";
	request.protocols = protocols;
	request.n_protocols = manner.only_wireguard ? 1 : 2;
	request.public_key = manner.no_key ? "" : app->key;
	request.prefer_tcp = manner.prefer_tcp;
	return ASK(&world->step, profiles, "ConnectApp", &request, config);
}

static const Provision__AppConfig *connect_app(
	struct world *world, struct app *app, struct manner manner)
{
	const Provision__AppConfig *config;

	ASSERT_OK(&world->step, try_connect(world, app, manner, &config));
	return config;
}

#define ANYHOW                                                                                     \
	(struct manner)                                                                            \
	{                                                                                          \
		.only_wireguard = false                                                            \
	}
#define WIREGUARD_ONLY                                                                             \
	(struct manner)                                                                            \
	{                                                                                          \
		.only_wireguard = true                                                             \
	}

static void disconnect(struct world *world, struct app *app)
{
	const Provision__Empty *nothing;

	ASSERT_OK(&world->step,
		ASK(&world->step, profiles, "DisconnectApp", &app->message, &nothing));
}

static bool is_set(struct world *world, struct app *app, const char *peer)
{
	Provision__AppPeerRequest request = PROVISION__APP_PEER_REQUEST__INIT;
	const Provision__AppPeer *reply;

	request.app = &app->message;
	request.peer = (char *)(uintptr_t)peer;
	ASSERT_OK(&world->step, ASK(&world->step, profiles, "GetAppPeer", &request, &reply));
	return reply->set;
}

static err_t try_sync(struct world *world, const char *state,
	Provision__WireguardPeerReport *report, const Provision__WireguardPeers **peers)
{
	Provision__SyncWireguardRequest request = PROVISION__SYNC_WIREGUARD_REQUEST__INIT;

	request.device = world->server->device;
	request.server = world->server->id;
	request.run = (char *)(uintptr_t)world->run;
	request.state = (char *)(uintptr_t)state;
	request.reports = &report;
	request.n_reports = report != NULL;
	return ASK(&world->step, wireguard, "SyncWireguard", &request, peers);
}

static const Provision__WireguardPeers *sync_with(struct world *world, const char *state)
{
	const Provision__WireguardPeers *peers;

	ASSERT_OK(&world->step, try_sync(world, state, NULL, &peers));
	return peers;
}

static bool lets_in(struct world *world, const struct app *app)
{
	const Provision__WireguardPeers *peers = sync_with(world, "");

	for (size_t i = 0; i < peers->n_peers; i++)
		if (strcmp(peers->peers[i]->public_key, app->key) == 0)
			return true;
	return false;
}

static const Provision__VpnConnectionList *look(struct world *world, const char *address)
{
	Provision__ListVpnConnectionsRequest request =
		PROVISION__LIST_VPN_CONNECTIONS_REQUEST__INIT;
	const Provision__VpnConnectionList *list;

	request.address = (char *)(uintptr_t)address;
	ASSERT_OK(&world->step, ASK(&world->step, vpn, "ListVpnConnections", &request, &list));
	return list;
}

static void run_sql(struct world *world, const struct db_statement *statement)
{
	db_rows_destroy_at(&(struct db_rows *){
		sql(&world->step, statement, PARAMS(world->step.call.tenant)) });
}

/* ---- one peer ---- */

/* 78 */
Test(provision_wireguard, a_peer_is_set_when_its_server_has_all_peers)
{
	const Provision__WireguardPeers *peers, *same;
	const Provision__AppConfig *config;
	struct world before;
	struct app *app;
	AUTO_WORLD world;

	open_world(&world);
	cr_assert_eq(world.server->port, 51820);
	cr_assert_str_eq(world.server->mode, "tun");
	app = make_app(&world, make_user(&world, "jane"));
	config = connect_app(&world, app, ANYHOW);
	cr_assert_str_eq(config->protocol, "wireguard");
	cr_assert(strstr(config->config, "Address = 10.9.0.2/29,fd09::2/64\n") != NULL, "%s",
		config->config);
	cr_assert(strstr(config->config, "PublicKey = " SERVER_KEY "\n") != NULL);
	cr_assert(strstr(config->config, "AllowedIPs = 10.9.0.0/29,fd09::/64\n") != NULL);
	cr_assert(strstr(config->config, "Endpoint = vpn.example.org:51820\n") != NULL);
	cr_assert_eq(config->expires_at, app->message.expires_at);
	peers = sync_with(&world, "");
	cr_assert_eq(peers->n_peers, 1);
	cr_assert_str_eq(peers->peers[0]->ipv4, "10.9.0.2");
	cr_assert_str_eq(peers->peers[0]->ipv6, "fd09::2");
	cr_assert_not(is_set(&world, app, config->peer));
	same = sync_with(&world, peers->state);
	cr_assert_eq(same->n_peers, 0);
	cr_assert_str_eq(same->state, peers->state);
	cr_assert(is_set(&world, app, config->peer));
	cr_assert_not(is_set(&world, make_app(&world, app->message.user), config->peer));
	/* A server that begins anew has no peers: who waits has to wait on. */
	before = world;
	start(&world);
	cr_assert_not(is_set(&world, app, config->peer));
	cr_assert(lets_in(&world, app));
	ASSERT_REFUSED(
		&before.step, try_sync(&before, "", NULL, &peers), ERR_FAILED_PRECONDITION, "run");
}

/* ---- the choice ---- */

SQL(silence, "UPDATE provision.vpn_server SET reported_at = reported_at - interval '1 minute'"
	     " WHERE tenant_id = $1");

/* 79-82; 86, 84: nothing has ended when it fails. */
Test(provision_wireguard, app_and_profile_choose_together)
{
	const Provision__AppConfig *config;
	struct app *app, *other;
	AUTO_WORLD world;

	open_world(&world);
	app = make_app(&world, make_user(&world, "jane"));
	other = make_app(&world, app->message.user);
	config = connect_app(&world, other, (struct manner){ .prefer_tcp = true });
	cr_assert_str_eq(config->protocol, "openvpn");
	config = connect_app(&world, other, (struct manner){ .no_key = true });
	cr_assert_str_eq(config->protocol, "openvpn");
	ASSERT_REFUSED(&world.step,
		try_connect(&world, other,
			(struct manner){ .only_wireguard = true, .no_key = true }, &config),
		ERR_FAILED_PRECONDITION, "protocols");
	connect_app(&world, app, WIREGUARD_ONLY);
	run_sql(&world, &silence);
	ASSERT_REFUSED(&world.step, try_connect(&world, app, WIREGUARD_ONLY, &config),
		ERR_FAILED_PRECONDITION, "server");
	cr_assert_str_eq(connect_app(&world, other, ANYHOW)->protocol, "openvpn");
	start(&world);
	cr_assert(lets_in(&world, app));
}

/* A /29 has six addresses: one for the server. 86 */
Test(provision_wireguard, a_full_network_refuses_and_addresses_come_back)
{
	const Provision__AppConfig *config, *last = NULL;
	const char *users[2];
	struct app *apps[6];
	AUTO_WORLD world;

	open_world(&world);
	users[0] = make_user(&world, "jane");
	users[1] = make_user(&world, "john");
	for (size_t i = 0; i < 5; i++) {
		apps[i] = make_app(&world, users[i % 2]);
		last = connect_app(&world, apps[i], WIREGUARD_ONLY);
	}
	apps[5] = make_app(&world, users[1]);
	ASSERT_REFUSED(&world.step, try_connect(&world, apps[5], WIREGUARD_ONLY, &config),
		ERR_RESOURCE_EXHAUSTED, "network");
	cr_assert_str_eq(connect_app(&world, apps[5], ANYHOW)->protocol, "openvpn");
	config = connect_app(&world, apps[4], WIREGUARD_ONLY);
	cr_assert_str_eq(config->config, last->config, "whoever comes again has its address");
	disconnect(&world, apps[4]);
	cr_assert_not(lets_in(&world, apps[4]));
	config = connect_app(&world, apps[5], WIREGUARD_ONLY);
	cr_assert_str_eq(config->config, last->config);
}

/* 83 */
Test(provision_wireguard, certificates_and_peers_of_a_user_count_together)
{
	struct app *apps[4];
	const char *user;
	AUTO_WORLD world;

	open_world(&world);
	user = make_user(&world, "jane");
	for (size_t i = 0; i < 4; i++) {
		bool openvpn = i == 1 || i == 2;

		apps[i] = make_app(&world, user);
		cr_assert(lets_in(&world, apps[0]) == (i > 0));
		connect_app(&world, apps[i], (struct manner){ .no_key = openvpn });
	}
	cr_assert_not(lets_in(&world, apps[0]));
	cr_assert(lets_in(&world, apps[3]));
}

Test(provision_wireguard, a_key_is_in_use_once)
{
	const Provision__AppConfig *config;
	struct app *app, *again, *thief;
	AUTO_WORLD world;

	open_world(&world);
	app = make_app(&world, make_user(&world, "jane"));
	connect_app(&world, app, WIREGUARD_ONLY);
	thief = make_app(&world, make_user(&world, "mallory"));
	strcpy(thief->key, app->key);
	ASSERT_REFUSED(&world.step, try_connect(&world, thief, WIREGUARD_ONLY, &config),
		ERR_INVALID_ARGUMENT, "public_key");
	strcpy(thief->key, SERVER_KEY);
	ASSERT_REFUSED(&world.step, try_connect(&world, thief, WIREGUARD_ONLY, &config),
		ERR_INVALID_ARGUMENT, "public_key");
	strcpy(thief->key, "AAAA");
	ASSERT_REFUSED(&world.step, try_connect(&world, thief, WIREGUARD_ONLY, &config),
		ERR_INVALID_ARGUMENT, "public_key");
	again = make_app(&world, app->message.user);
	strcpy(again->key, app->key);
	connect_app(&world, again, WIREGUARD_ONLY);
	cr_assert_eq(sync_with(&world, "")->n_peers, 1);
}

/* ---- the end ---- */

SQL(expire, "UPDATE provision.wireguard_peer SET expires_at = now() WHERE tenant_id = $1");
SQL(forget_use, "UPDATE provision.wireguard_peer SET created_at = now() - interval '73 hours'"
		" WHERE tenant_id = $1");
SQL(n_free, "SELECT count(*) AS n FROM provision.free_host WHERE tenant_id = $1");

static bool has_free_host(struct world *world)
{
	AUTO_ROWS rows = sql(&world->step, &n_free, PARAMS(world->step.call.tenant));

	return db_int(rows, 0, "n") > 0;
}

static void replace_profile(struct world *world, size_t from)
{
	Provision__ProfileRequest request = profile_request(world);
	const Provision__Profile *profile;

	request.id = world->profile->id;
	request.protocols += from;
	request.n_protocols -= from;
	ASSERT_OK(&world->step, ASK(&world->step, profiles, "ReplaceProfile", &request, &profile));
}

/* 97, 92 */
Test(provision_wireguard, peers_end_with_their_time_their_use_and_their_profile)
{
	struct app *app;
	AUTO_WORLD world;

	open_world(&world);
	app = make_app(&world, make_user(&world, "jane"));
	connect_app(&world, app, WIREGUARD_ONLY);
	run_sql(&world, &expire);
	cr_assert_not(lets_in(&world, app));
	AWAIT(has_free_host(&world));
	connect_app(&world, app, WIREGUARD_ONLY);
	cr_assert(lets_in(&world, app));
	run_sql(&world, &forget_use);
	AWAIT(!lets_in(&world, app));
	connect_app(&world, app, WIREGUARD_ONLY);
	replace_profile(&world, 0);
	cr_assert(lets_in(&world, app));
	replace_profile(&world, 1);
	AWAIT(!lets_in(&world, app));
}

/* ---- the log ---- */

static err_t report(struct world *world, const char *peer, int64_t ago_s, uint64_t bytes)
{
	Provision__WireguardPeerReport item = PROVISION__WIREGUARD_PEER_REPORT__INIT;
	const Provision__WireguardPeers *peers;

	item.peer = (char *)(uintptr_t)peer;
	item.source = "192.0.2.1:4000";
	item.handshake_at = clock_unix_ms() / 1000 - ago_s;
	item.bytes_in = bytes;
	item.bytes_out = 2 * bytes;
	return try_sync(world, "", &item, &peers);
}

static void check_report(struct world *world)
{
	Provision__WireguardPeerReport item = PROVISION__WIREGUARD_PEER_REPORT__INIT;
	const Provision__WireguardPeers *peers;

	item.peer = NOBODY;
	item.handshake_at = INT64_MAX;
	ASSERT_OK(&world->step, try_sync(world, "", &item, &peers));
	item.handshake_at = -1;
	ASSERT_REFUSED(
		&world->step, try_sync(world, "", &item, &peers), ERR_INVALID_ARGUMENT, "reports");
	item.handshake_at = 1;
	item.bytes_in = UINT64_MAX;
	ASSERT_REFUSED(
		&world->step, try_sync(world, "", &item, &peers), ERR_INVALID_ARGUMENT, "reports");
	item.peer = "x";
	ASSERT_REFUSED(
		&world->step, try_sync(world, "", &item, &peers), ERR_INVALID_ARGUMENT, "peer");
}

/* 96 */
Test(provision_wireguard, sessions_stand_in_the_log)
{
	const Provision__VpnConnectionList *log;
	const Provision__AppConfig *config;
	struct app *app;
	AUTO_WORLD world;

	open_world(&world);
	app = make_app(&world, make_user(&world, "jane"));
	config = connect_app(&world, app, WIREGUARD_ONLY);
	check_report(&world);
	cr_assert_eq(look(&world, "10.9.0.2")->n_items, 0, "nobody has come yet");
	ASSERT_OK(&world.step, report(&world, config->peer, 1, 100));
	ASSERT_OK(&world.step, report(&world, config->peer, 1, 250));
	log = look(&world, "fd09::2");
	cr_assert_eq(log->n_items, 1);
	cr_assert_str_eq(log->items[0]->subject, app->message.user);
	cr_assert_str_eq(log->items[0]->serial, app->key);
	cr_assert_str_eq(log->items[0]->label, "office");
	cr_assert_str_eq(log->items[0]->source, "192.0.2.1:4000");
	cr_assert_str_eq(log->items[0]->ended_at, "");
	cr_assert_eq(log->items[0]->bytes_in, 250);
	cr_assert_eq(log->items[0]->bytes_out, 500);
	/* The interface was made anew: it counts from zero. */
	ASSERT_OK(&world.step, report(&world, config->peer, 1, 10));
	cr_assert_eq(look(&world, "10.9.0.2")->items[0]->bytes_in, 260);
	ASSERT_OK(&world.step, report(&world, config->peer, 200, 10));
	AWAIT(*look(&world, "10.9.0.2")->items[0]->ended_at != '\0');
	ASSERT_OK(&world.step, report(&world, config->peer, 1, 20));
	cr_assert_eq(look(&world, "10.9.0.2")->n_items, 2);
	disconnect(&world, app);
	cr_assert_neq(*look(&world, "10.9.0.2")->items[1]->ended_at, '\0');
	ASSERT_OK(&world.step, report(&world, config->peer, 1, 30));
	cr_assert_eq(look(&world, "10.9.0.2")->n_items, 2);
}

/* ---- servers and profiles ---- */

static void check_profile(struct world *world)
{
	static char *twice[] = { "wireguard", "wireguard" }, *unknown[] = { "ipsec" };
	Provision__ProfileRequest request;
	const Provision__Profile *profile;

	request = profile_request(world);
	request.profile_id = "other";
	request.two_factor = true;
	ASSERT_REFUSED(&world->step,
		ASK(&world->step, profiles, "CreateProfile", &request, &profile),
		ERR_INVALID_ARGUMENT, "two_factor");
	request.two_factor = false;
	request.protocols = twice;
	ASSERT_REFUSED(&world->step,
		ASK(&world->step, profiles, "CreateProfile", &request, &profile),
		ERR_INVALID_ARGUMENT, "protocols");
	request.protocols = unknown;
	request.n_protocols = 1;
	ASSERT_REFUSED(&world->step,
		ASK(&world->step, profiles, "CreateProfile", &request, &profile),
		ERR_INVALID_ARGUMENT, "protocols");
	request.protocols = twice;
	ASSERT_REFUSED(&world->step,
		ASK(&world->step, profiles, "CreateProfile", &request, &profile),
		ERR_INVALID_ARGUMENT, "ports");
	request.n_ports = 0;
	ASSERT_OK(&world->step, ASK(&world->step, profiles, "CreateProfile", &request, &profile));
	cr_assert_eq(profile->n_protocols, 1);
}

Test(provision_wireguard, what_servers_and_profiles_have_to_be)
{
	Provision__CreateVpnServerRequest request = PROVISION__CREATE_VPN_SERVER_REQUEST__INIT;
	const Provision__WireguardServerStart *started;
	const Provision__VpnServer *server;
	AUTO_WORLD world;

	open_world(&world);
	request.device = world.server->device;
	request.network = world.network->id;
	request.host = "vpn.example.org";
	ASSERT_REFUSED(&world.step, try_server(&world, &request, &server), ERR_INVALID_ARGUMENT,
		"profile");
	request.profile = world.profile->id;
	request.protocol = "tcp";
	ASSERT_REFUSED(&world.step, try_server(&world, &request, &server), ERR_INVALID_ARGUMENT,
		"protocol");
	request.protocol = "";
	request.mode = "tap";
	ASSERT_REFUSED(
		&world.step, try_server(&world, &request, &server), ERR_INVALID_ARGUMENT, "mode");
	request.mode = "";
	request.max_clients = 251;
	ASSERT_REFUSED(&world.step, try_server(&world, &request, &server), ERR_INVALID_ARGUMENT,
		"max_clients");
	ASSERT_REFUSED(&world.step, try_start(&world, "no key", &started), ERR_INVALID_ARGUMENT,
		"public_key");
	check_profile(&world);
}

static bool is_of(const Provision__AppConfig *config, const char *key)
{
	return strstr(config->config, key) != NULL;
}

Test(provision_wireguard, several_servers_share_the_people_of_a_profile)
{
	static const char other_key[] = "bWFueSBzZXJ2ZXJzIHNoYXJlIGEgcHJvZmlsZSBoZXI=";
	Provision__CreateVpnServerRequest request = PROVISION__CREATE_VPN_SERVER_REQUEST__INIT;
	const Provision__WireguardServerStart *started;
	const Provision__AppConfig *first, *second;
	struct world other;
	struct app *app;
	AUTO_WORLD world;

	open_world(&world);
	other = world;
	request.device = (char *)(uintptr_t)make_device(&world, "second");
	request.profile = world.profile->id;
	ASSERT_OK(&world.step, try_server(&world, &request, &other.server));
	ASSERT_OK(&other.step, try_start(&other, other_key, &started));
	app = make_app(&world, make_user(&world, "jane"));
	first = connect_app(&world, app, WIREGUARD_ONLY);
	second = connect_app(&world, make_app(&world, app->message.user), WIREGUARD_ONLY);
	cr_assert(is_of(first, SERVER_KEY) ? is_of(second, other_key)
					   : is_of(first, other_key) && is_of(second, SERVER_KEY));
	run_sql(&world, &silence);
	start(&world);
	cr_assert(is_of(connect_app(&world, app, WIREGUARD_ONLY), SERVER_KEY));
}
