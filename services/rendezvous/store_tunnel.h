/*
 * store_tunnel: all SQL on table rendezvous.tunnel_server. Every function runs in the call's
 * transaction; text that it returns is in the call's arena.
 */
#pragma once

#include "lib/call.h"
#include "lib/err.h"
#include "proto/rendezvous.pb-c.h"

#include <stdbool.h>

/* Adds the server, or notes that it is still there. *registered: false if its UUID is that of
 * another connection, on a node that lives. *replaced: the connection on another such node in whose
 * place it is now, "" if there was none. */
err_t store_register_server(struct call *call, const Rendezvous__TunnelServer *server,
	bool *registered, const char **replaced) MUST_CHECK;

err_t store_release_server(
	struct call *call, const char *server, const char *connection) MUST_CHECK;

/* ERR_NOT_FOUND also for a server whose node is gone. */
err_t store_find_server(
	struct call *call, const char *id, Rendezvous__TunnelServer *server) MUST_CHECK;

/* Removes the servers of nodes that are gone, of the whole fleet. */
err_t store_forget_servers(struct call *call) MUST_CHECK;
