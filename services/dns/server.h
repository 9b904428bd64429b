/*
 * server: the unix socket on which PowerDNS asks. One thread accepts; each connection has a thread
 * of its own, as PowerDNS keeps a few and uses them for ever. What PowerDNS may ask is in remote.
 */
#pragma once

#include "lib/err.h"
#include "services/dns/remote.h"

#define SERVER_CONNECTIONS_MAX 32
#define SERVER_LINE_MAX	       (64 * 1024)

struct server;

/* Listens on `path`, in place of what an earlier process left there. Keeps `remote`.
 * ERR_ALREADY_EXISTS if another process listens there. What goes wrong is logged. */
err_t server_start(struct server **out, const char *path, const struct remote *remote) MUST_CHECK;

/* Stops listening, ends all connections and waits for their threads. NULL is fine. */
void server_stop(struct server *server);
