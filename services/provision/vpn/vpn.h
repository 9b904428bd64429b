/* vpn: the handlers of proto/vpn.proto; as provision.h. Who may connect is judged in judge.c. */
#pragma once

#include "lib/call.h"
#include "proto/event.pb-c.h"
#include "proto/vpn.pb-c.h"

/* ---- server.c ---- */

err_t create_vpn_server(struct call *call, const Provision__CreateVpnServerRequest *request,
	Provision__VpnServer *reply) MUST_CHECK;
err_t get_vpn_server(
	struct call *call, const Provision__Ref *request, Provision__VpnServer *reply) MUST_CHECK;
err_t list_vpn_servers(struct call *call, const Provision__ListRequest *request,
	Provision__VpnServerList *reply) MUST_CHECK;
err_t delete_vpn_server(
	struct call *call, const Provision__Ref *request, Provision__Empty *reply) MUST_CHECK;
err_t start_vpn_server(struct call *call, const Provision__StartVpnServerRequest *request,
	Provision__VpnServerStart *reply) MUST_CHECK;

/* ---- connection.c ---- */

err_t list_vpn_connections(struct call *call, const Provision__ListVpnConnectionsRequest *request,
	Provision__VpnConnectionList *reply) MUST_CHECK;
err_t authorize_vpn_connection(struct call *call,
	const Provision__AuthorizeVpnConnectionRequest *request,
	Provision__VpnDecision *reply) MUST_CHECK;
err_t report_vpn_connections(struct call *call,
	const Provision__ReportVpnConnectionsRequest *request,
	Provision__VpnVerdict *reply) MUST_CHECK;

err_t get_vpn_statistics(struct call *call, const Provision__Empty *request,
	Provision__VpnStatistics *reply) MUST_CHECK;

/* The event "revoked": connections of the subject are not welcome any more. */
err_t vpn_revoked(struct call *call, const Event__Revoked *event) MUST_CHECK;

/* The event "groups": whether the user may stay is looked up when the server reports. */
err_t vpn_groups_changed(struct call *call, const Event__GroupsChanged *event) MUST_CHECK;

/* Tasks: connections of servers that have fallen silent are over; old ones are forgotten. */
err_t end_lost_connections(struct call *call) MUST_CHECK;
err_t forget_connections(struct call *call) MUST_CHECK;

void vpn_open(void); /* registers its metrics */
