/* store_vpn: the SQL of VPN servers and connections, on the tables of db/migrations/0019_vpn.sql;
 * as store.h. */
#pragma once

#include "lib/call.h"
#include "lib/db.h"
#include "proto/vpn.pb-c.h"

#include <stdbool.h>

/* Who was let in. */
struct vpn_client {
	const char *kind, *subject, *label, *serial;
	const char *host; /* number in the network of a device's member; NULL: it takes one */
	const char *source;
	bool ipv4_only; /* an address of IPv6 might be its end */
};

/* ---- servers (store_vpn.c) ---- */

err_t store_vpn_server_create(struct call *call, const Provision__VpnServer *server,
	Provision__VpnServer *reply) MUST_CHECK;
err_t store_vpn_server_get(
	struct call *call, const char *id, Provision__VpnServer *reply) MUST_CHECK;
err_t store_vpn_server_list(struct call *call, const Provision__ListRequest *request,
	Provision__VpnServerList *reply) MUST_CHECK;
err_t store_vpn_server_delete(struct call *call, const char *id) MUST_CHECK;

struct store_vpn_own {
	const char *device, *id, *kind;
	bool lock;
};

/* The servers of the kind of an approved device, two at most: the one with this id, or any if `id`
 * is empty. Columns of VpnServer, run, profile_name and is_member (the device, of the server's
 * network); locks them with `lock`. */
err_t store_vpn_server_own(
	struct call *call, const struct store_vpn_own *own, struct db_rows **rows) MUST_CHECK;
/* Begins another run. */
err_t store_vpn_server_start(struct call *call, const char *id, const char **run) MUST_CHECK;
/* Notes that it reports; written every few seconds only. */
err_t store_vpn_server_reported(struct call *call, const char *id) MUST_CHECK;

/* ---- connections (store_vpn_connection.c) ---- */

err_t store_vpn_connection_list(struct call *call,
	const Provision__ListVpnConnectionsRequest *request,
	Provision__VpnConnectionList *reply) MUST_CHECK;

/* Ends what the same certificate has open anywhere, and gives the client an address: a device that
 * of its member, a user the one that it had before if that is free. */
err_t store_vpn_connection_add(struct call *call, const Provision__VpnServer *server,
	const char *run, const struct vpn_client *client, Provision__VpnDecision *reply) MUST_CHECK;
err_t store_vpn_connection_count(struct call *call, const char *server,
	const Provision__VpnConnectionReport *report) MUST_CHECK;
/* The server says that it is over. */
err_t store_vpn_connection_end(struct call *call, const char *server, const char *id) MUST_CHECK;
/* All of a server are over, since it begins anew or is deleted. */
err_t store_vpn_connections_lost(struct call *call, const char *server) MUST_CHECK;
/* Of any tenant: those whose servers are silent. */
err_t store_vpn_connections_silent(struct call *call) MUST_CHECK;
err_t store_vpn_connections_forget(struct call *call) MUST_CHECK;
/* Of a subject, or with `subject` NULL of the call's tenant. */
err_t store_vpn_connections_ban(struct call *call, const char *subject) MUST_CHECK;
/* Of a user, or with `user` "" of all: whether they may stay is to be looked up. */
err_t store_vpn_connections_doubt(struct call *call, const char *user) MUST_CHECK;
/* Some of the run that are doubted: id, serial. */
err_t store_vpn_doubted(
	struct call *call, const char *server, const char *run, struct db_rows **rows) MUST_CHECK;
/* It was looked up. */
err_t store_vpn_judged(struct call *call, const char *id, bool banned) MUST_CHECK;
/* Those of the run that have to end: id. */
err_t store_vpn_unwelcome(
	struct call *call, const char *server, const char *run, struct db_rows **rows) MUST_CHECK;

/* How much each profile was used on the last 32 days (store_vpn_statistics.c). */
err_t store_vpn_statistics(struct call *call, Provision__VpnStatistics *reply) MUST_CHECK;

/* Number in the network of the device's member; "" if it is none. */
err_t store_vpn_member_host(
	struct call *call, const char *network, const char *device, const char **host) MUST_CHECK;
