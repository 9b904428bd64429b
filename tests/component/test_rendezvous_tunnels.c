/* rendezvous for real: tunnel servers, and who looks for them. */
#include "tests/component/rendezvous_fixture.h"

TestSuite(rendezvous_tunnels, .init = setup, .fini = teardown, .timeout = 120);

#define SERVER "33333333-3333-3333-3333-333333333333"

static err_t announce_server(
	const char *tenant, const char *node, const char *connection, bool replace)
{
	Rendezvous__TunnelServer request = RENDEZVOUS__TUNNEL_SERVER__INIT;
	const ProtobufCMessage *reply;
	struct call call;
	err_t err;

	request.server = SERVER;
	request.name = "srv";
	request.node = (char *)(uintptr_t)node;
	request.connection = (char *)(uintptr_t)connection;
	request.replace = replace;
	err = fixture_call(&fixture, &call, tenant, &rendezvous__rendezvous__descriptor,
		"RegisterServer", &request.base, &reply);
	call_finish(&call);
	return err;
}

static err_t register_server(const char *tenant, const char *node, const char *connection)
{
	return announce_server(tenant, node, connection, false);
}

/* FindServer or ReleaseServer; `text` becomes "NODE CONNECTION". */
static err_t on_server(
	const char *method, const char *tenant, const char *connection, char text[96])
{
	Rendezvous__TunnelServerRef request = RENDEZVOUS__TUNNEL_SERVER_REF__INIT;
	const ProtobufCMessage *reply;
	struct call call;
	err_t err;

	request.server = SERVER;
	request.connection = (char *)(uintptr_t)connection;
	err = fixture_call(&fixture, &call, tenant, &rendezvous__rendezvous__descriptor, method,
		&request.base, &reply);
	if (err == OK && text != NULL) {
		const Rendezvous__TunnelServer *server = (const Rendezvous__TunnelServer *)reply;

		snprintf(text, 96, "%s %s %s", server->node, server->connection, server->name);
	}
	call_finish(&call);
	return err;
}

Test(rendezvous_tunnels, a_server_is_found_while_its_connection_lives)
{
	char text[96];

	cr_expect_eq(on_server("FindServer", TENANT, "", text), ERR_NOT_FOUND);
	cr_expect_eq(register_server(TENANT, NODE_A, "1"), OK);
	cr_expect_eq(register_server(TENANT, NODE_A, "1"), OK, "again is fine");
	cr_expect_eq(register_server(TENANT, NODE_A, "2"), ERR_ALREADY_EXISTS);
	cr_expect_eq(register_server(TENANT, NODE_B, "1"), ERR_ALREADY_EXISTS);
	cr_expect_eq(register_server(OTHER_TENANT, NODE_B, "1"), OK, "of no concern to it");
	cr_expect_eq(on_server("FindServer", TENANT, "", text), OK);
	cr_expect_str_eq(text, NODE_A " 1 srv");
	cr_expect_eq(on_server("ReleaseServer", TENANT, "2", NULL), OK);
	cr_expect_eq(on_server("FindServer", TENANT, "", text), OK, "released by its own only");
	cr_expect_eq(on_server("ReleaseServer", TENANT, "1", NULL), OK);
	cr_expect_eq(on_server("FindServer", TENANT, "", text), ERR_NOT_FOUND);
	cr_expect_eq(on_server("FindServer", OTHER_TENANT, "", text), OK);
}

SQL(age_servers, "UPDATE rendezvous.tunnel_server SET announced_at = now() - interval '3 minutes'");
SQL(count_servers, "SELECT count(*) AS n FROM rendezvous.tunnel_server");

Test(rendezvous_tunnels, a_client_has_the_uuid_of_no_server)
{
	Rendezvous__TunnelServerRef request = RENDEZVOUS__TUNNEL_SERVER_REF__INIT;
	static const struct {
		const char *client;
		err_t want;
	} rows[] = {
		{ SERVER, ERR_ALREADY_EXISTS },
		{ NODE_A, OK },
		{ "nonsense", ERR_INVALID_ARGUMENT },
	};

	cr_expect_eq(register_server(TENANT, NODE_A, "1"), OK);
	request.server = SERVER;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const ProtobufCMessage *reply;
		struct call call;

		request.client = (char *)(uintptr_t)rows[i].client;
		cr_expect_eq(
			fixture_call(&fixture, &call, TENANT, &rendezvous__rendezvous__descriptor,
				"FindServer", &request.base, &reply),
			rows[i].want, "%s", rows[i].client);
		call_finish(&call);
	}
}

Test(rendezvous_tunnels, a_server_of_a_node_that_is_gone_can_come_back)
{
	char text[96];

	cr_expect_eq(register_server(TENANT, NODE_GONE, "1"), OK);
	cr_expect_eq(on_server("FindServer", TENANT, "", text), ERR_NOT_FOUND);
	cr_expect_eq(register_server(TENANT, NODE_A, "1"), OK);
	cr_expect_eq(on_server("FindServer", TENANT, "", text), OK);
	cr_expect_eq(register_server(OTHER_TENANT, NODE_GONE, "1"), OK);
	fixture_sql(&fixture, &age_servers);
	AWAIT(fixture_sql(&fixture, &count_servers) == 1);
}

SQL(count_replaced, "SELECT count(*) AS n FROM fabric.event WHERE topic = 'server_replaced'");

Test(rendezvous_tunnels, the_node_of_a_replaced_server_is_told)
{
	char text[96];

	cr_expect_eq(announce_server(TENANT, NODE_A, "1", true), OK);
	cr_expect_eq(announce_server(TENANT, NODE_A, "2", true), OK);
	cr_expect_eq(fixture_sql(&fixture, &count_replaced), 0, "the node knows itself");
	cr_expect_eq(announce_server(TENANT, NODE_B, "3", true), OK);
	cr_expect_eq(fixture_sql(&fixture, &count_replaced), 1);
	cr_expect_eq(announce_server(TENANT, NODE_B, "3", false), OK);
	cr_expect_eq(fixture_sql(&fixture, &count_replaced), 1);
	cr_expect_eq(on_server("FindServer", TENANT, "", text), OK);
	cr_expect_str_eq(text, NODE_B " 3 srv");
}
