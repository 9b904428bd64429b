/* tunnel: see tunnel.h. */
#include "services/rendezvous/tunnel.h"

#include "lib/check.h"
#include "lib/event.h"
#include "proto/event.pb-c.h"
#include "services/rendezvous/store_tunnel.h"

#define NAME_MAX_LEN   256
#define CONNECTION_MAX 128

/* The node that it was on ends it at once. */
static err_t publish_replaced(
	struct call *call, const Rendezvous__TunnelServer *server, const char *connection)
{
	Event__ServerReplaced event = EVENT__SERVER_REPLACED__INIT;

	event.name = server->name;
	event.connection = (char *)(uintptr_t)connection;
	return event_publish(call, "server_replaced", &event.base);
}

err_t rendezvous_register_server(
	struct call *call, const Rendezvous__TunnelServer *request, Rendezvous__Empty *reply)
{
	const char *replaced;
	bool registered;
	err_t err;

	(void)reply;
	if ((err = check_uuid(call, "server", request->server)) != OK ||
		(err = check_text(call, "name", request->name, 0, NAME_MAX_LEN)) != OK ||
		(err = check_uuid(call, "node", request->node)) != OK ||
		(err = check_text(call, "connection", request->connection, 1, CONNECTION_MAX)) !=
			OK ||
		(err = store_register_server(call, request, &registered, &replaced)) != OK)
		return err;
	if (!registered)
		return call_refuse(call, ERR_ALREADY_EXISTS, "server",
			"expected a UUID that no other live connection has registered");
	return *replaced != '\0' ? publish_replaced(call, request, replaced) : OK;
}

err_t rendezvous_release_server(
	struct call *call, const Rendezvous__TunnelServerRef *request, Rendezvous__Empty *reply)
{
	err_t err;

	(void)reply;
	if ((err = check_uuid(call, "server", request->server)) != OK ||
		(err = check_text(call, "connection", request->connection, 1, CONNECTION_MAX)) !=
			OK)
		return err;
	return store_release_server(call, request->server, request->connection);
}

/* A UUID is a server's or a client's, never both. */
static err_t check_no_server(struct call *call, const char *client)
{
	Rendezvous__TunnelServer other = RENDEZVOUS__TUNNEL_SERVER__INIT;
	err_t err;

	if ((err = check_uuid(call, "client", client)) != OK)
		return err;
	err = store_find_server(call, client, &other);
	if (err == OK)
		return call_refuse(call, ERR_ALREADY_EXISTS, "client",
			"expected a UUID that no server has registered");
	return err == ERR_NOT_FOUND ? OK : err;
}

err_t rendezvous_find_server(struct call *call, const Rendezvous__TunnelServerRef *request,
	Rendezvous__TunnelServer *server)
{
	err_t err;

	if ((err = check_uuid(call, "server", request->server)) != OK)
		return err;
	if (*request->client != '\0' && (err = check_no_server(call, request->client)) != OK)
		return err;
	return store_find_server(call, request->server, server);
}

err_t tunnel_sweep(struct call *call)
{
	return store_forget_servers(call);
}
