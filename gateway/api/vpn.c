/* vpn: VPN servers and who connects to them. What a server asks for itself, its device's
 * credentials say. */
#include "gateway/api/tables.h"

#include "gateway/request.h"
#include "proto/vpn.pb-c.h"
#include "proto/wireguard.pb-c.h"

#include <string.h>

static err_t ask(struct api_request *request, ProtobufCMessage *message)
{
	const ProtobufCMessage *reply;
	err_t err;

	if ((err = request_read_own(request, message)) != OK)
		return err;
	if ((err = api_call(request, message, &reply)) == OK)
		api_send(request, reply);
	return err;
}

static err_t start(struct api_request *request)
{
	Provision__StartVpnServerRequest message = PROVISION__START_VPN_SERVER_REQUEST__INIT;

	return ask(request, &message.base);
}

static err_t authorize(struct api_request *request)
{
	Provision__AuthorizeVpnConnectionRequest message =
		PROVISION__AUTHORIZE_VPN_CONNECTION_REQUEST__INIT;

	return ask(request, &message.base);
}

static err_t report(struct api_request *request)
{
	Provision__ReportVpnConnectionsRequest message =
		PROVISION__REPORT_VPN_CONNECTIONS_REQUEST__INIT;

	return ask(request, &message.base);
}

/* Its members have the names of profiles: no message says that. */
static err_t show_statistics(struct api_request *request)
{
	Provision__Empty message = PROVISION__EMPTY__INIT;
	const ProtobufCMessage *reply;
	const char *json;
	err_t err;

	if ((err = request_read(request, NULL, &message.base)) != OK ||
		(err = api_call(request, &message.base, &reply)) != OK)
		return err;
	json = ((const Provision__VpnStatistics *)reply)->json;
	api_send_text(request, "application/json", json, strlen(json));
	return OK;
}

static err_t start_wireguard(struct api_request *request)
{
	Provision__StartWireguardServerRequest message =
		PROVISION__START_WIREGUARD_SERVER_REQUEST__INIT;

	return ask(request, &message.base);
}

static err_t sync_wireguard(struct api_request *request)
{
	Provision__SyncWireguardRequest message = PROVISION__SYNC_WIREGUARD_REQUEST__INIT;

	return ask(request, &message.base);
}

/* clang-format off */
#define SERVICE &provision__vpn__descriptor

const struct route vpn_routes[] = {
	ROUTE("GET", "/v1/tenants/{tenant}/vpn-servers", "vpn:read", "ListVpnServers",
		.query = "cursor limit device"),
	ROUTE("POST", "/v1/tenants/{tenant}/vpn-servers", "vpn:write", "CreateVpnServer",
		.status = HTTP_CREATED),
	ROUTE("GET", "/v1/tenants/{tenant}/vpn-servers/{id}", "vpn:read", "GetVpnServer"),
	ROUTE("DELETE", "/v1/tenants/{tenant}/vpn-servers/{id}", "vpn:write", "DeleteVpnServer",
		.status = HTTP_NO_CONTENT),
	ROUTE("GET", "/v1/tenants/{tenant}/vpn-connections", "vpn:read", "ListVpnConnections",
		.query = "cursor limit server subject address at"),
	ROUTE("GET", "/v1/tenants/{tenant}/vpn-statistics", "vpn:read", "GetVpnStatistics",
		.flags = ROUTE_COSTLY, .handler = show_statistics),
	ROUTE("POST", "/v1/vpn-starts", "vpn:serve", "StartVpnServer", .handler = start),
	ROUTE("POST", "/v1/vpn-decisions", "vpn:serve", "AuthorizeVpnConnection",
		.handler = authorize),
	ROUTE("POST", "/v1/vpn-reports", "vpn:serve", "ReportVpnConnections",
		.flags = ROUTE_REPEATABLE, .handler = report),

#undef SERVICE
#define SERVICE &provision__wireguard__descriptor

	ROUTE("POST", "/v1/wireguard-starts", "vpn:serve", "StartWireguardServer",
		.handler = start_wireguard),
	ROUTE("POST", "/v1/wireguard-peers", "vpn:serve", "SyncWireguard",
		.flags = ROUTE_REPEATABLE, .handler = sync_wireguard),
	{ .method = NULL },
};
/* clang-format on */
