/* serve: what a WireGuard server asks: how it begins, and which peers it lets in. */
#include "services/provision/wireguard/wireguard.h"

#include "lib/check.h"
#include "services/provision/store.h"
#include "services/provision/vpn/own.h"
#include "services/provision/vpn/store_vpn.h"
#include "services/provision/wireguard/peer.h"
#include "services/provision/wireguard/store_peer.h"

#include <stdint.h>
#include <string.h>

#define KIND	    "wireguard"
#define REPORTS_MAX 200
#define SOURCE_MAX  64
#define STATE_MAX   64

err_t start_wireguard_server(struct call *call,
	const Provision__StartWireguardServerRequest *request,
	Provision__WireguardServerStart *reply)
{
	Provision__Network network = PROVISION__NETWORK__INIT;
	struct own_server own;
	const char *run;
	err_t err;

	if ((err = peer_check_key(call, request->public_key)) != OK ||
		(err = own_find(call, request->device, request->server, KIND, true, &own)) != OK ||
		(err = store_network_get(call, own.server.network, &network)) != OK ||
		(err = store_vpn_connections_lost(call, own.server.id)) != OK ||
		(err = store_peer_server_begins(call, own.server.id, request->public_key)) != OK ||
		(err = store_vpn_server_start(call, own.server.id, &run)) != OK)
		return err;
	reply->server = arena_alloc(call->arena, sizeof(*reply->server));
	*reply->server = own.server;
	reply->server->public_key = request->public_key;
	reply->run = (char *)(uintptr_t)run;
	reply->mtu = peer_mtu(network.mtu);
	return OK;
}

static err_t check_report(struct call *call, const Provision__WireguardPeerReport *report)
{
	err_t err;

	if ((err = check_uuid(call, "peer", report->peer)) != OK ||
		(err = check_text(call, "source", report->source, 0, SOURCE_MAX)) != OK)
		return err;
	if (report->handshake_at < 0 || report->bytes_in > INT64_MAX ||
		report->bytes_out > INT64_MAX)
		return call_refuse(call, ERR_INVALID_ARGUMENT, "reports",
			"expected a Unix time and numbers below 2^63");
	return OK;
}

static err_t check_request(struct call *call, const Provision__SyncWireguardRequest *request)
{
	err_t err = check_text(call, "state", request->state, 0, STATE_MAX);

	if (request->n_reports > REPORTS_MAX)
		return call_refuse(call, ERR_INVALID_ARGUMENT, "reports",
			"expected at most %d peers", REPORTS_MAX);
	for (size_t i = 0; err == OK && i < request->n_reports; i++)
		err = check_report(call, request->reports[i]);
	return err;
}

err_t sync_wireguard(struct call *call, const Provision__SyncWireguardRequest *request,
	Provision__WireguardPeers *reply)
{
	struct own_server own;
	err_t err;

	if ((err = check_request(call, request)) != OK ||
		(err = own_find_run(
			 call, request->device, request->server, KIND, request->run, &own)) != OK ||
		(err = store_peer_report(
			 call, own.server.id, request->n_reports, request->reports)) != OK ||
		(err = store_vpn_server_reported(call, own.server.id)) != OK)
		return err;
	return store_peer_sync(call, own.server.id, request->state, reply);
}
