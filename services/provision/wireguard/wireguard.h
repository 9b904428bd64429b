/*
 * wireguard: the handlers of proto/wireguard.proto, and what follows from changes elsewhere; as
 * provision.h.
 */
#pragma once

#include "lib/call.h"
#include "proto/event.pb-c.h"
#include "proto/wireguard.pb-c.h"

err_t start_wireguard_server(struct call *call,
	const Provision__StartWireguardServerRequest *request,
	Provision__WireguardServerStart *reply) MUST_CHECK;
err_t sync_wireguard(struct call *call, const Provision__SyncWireguardRequest *request,
	Provision__WireguardPeers *reply) MUST_CHECK;
