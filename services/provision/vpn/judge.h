/*
 * judge: who may connect to a VPN server: whose certificate and credentials are good, and who
 * belongs to the network.
 */
#pragma once

#include "lib/call.h"
#include "proto/vpn.pb-c.h"
#include "services/provision/vpn/own.h"
#include "services/provision/vpn/store_vpn.h"

/* OK: `client` is who it is, or reply->reason says why it may not connect. An error is nothing that
 * the client could help. */
err_t judge(struct call *call, const struct own_server *own,
	const Provision__AuthorizeVpnConnectionRequest *request, struct vpn_client *client,
	Provision__VpnDecision *reply) MUST_CHECK;

/* May the user with this certificate, who is connected, stay? */
err_t judge_again(struct call *call, const struct own_server *own, const char *serial,
	bool *refused) MUST_CHECK;
