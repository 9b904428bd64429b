/* server: VPN servers as operators keep them, and how one begins. */
#include "services/provision/vpn/vpn.h"

#include "lib/check.h"
#include "services/provision/audit/audit.h"
#include "services/provision/authority.h"
#include "services/provision/certificates.h"
#include "services/provision/profile/access.h"
#include "services/provision/profile/profiles.h"
#include "services/provision/profile/store_profile.h"
#include "services/provision/provision.h"
#include "services/provision/publish.h"
#include "services/provision/request.h"
#include "services/provision/store.h"
#include "services/provision/store_portal.h"
#include "services/provision/vault.h"
#include "services/provision/vpn/own.h"
#include "services/provision/vpn/store_vpn.h"
#include "services/provision/wireguard/peer.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define PORT	       1194
#define WIREGUARD_PORT 51820
#define PORT_MAX       65535
#define CLIENTS	       250
#define CLIENTS_MAX    1000

/* ---- what operators decide ---- */

static char *or_default(char *text, const char *instead)
{
	return *text != '\0' ? text : (char *)(uintptr_t)instead;
}

static void set_defaults(
	const Provision__CreateVpnServerRequest *request, Provision__VpnServer *server)
{
	server->device = request->device;
	server->network = request->network;
	server->profile = request->profile;
	server->host = request->host;
	server->port = request->port;
	server->protocol = request->protocol;
	server->mode = request->mode;
	server->max_clients = request->max_clients != 0 ? request->max_clients : CLIENTS;
	server->kind = or_default(request->kind, "openvpn");
}

static bool is_wireguard(const Provision__VpnServer *server)
{
	return strcmp(server->kind, "wireguard") == 0;
}

/* Of WireGuard, whatever the profile has for OpenVPN. */
static void set_wireguard(Provision__VpnServer *server)
{
	if (!is_wireguard(server))
		return;
	server->port = server->port != 0 ? server->port : WIREGUARD_PORT;
	server->protocol = or_default(server->protocol, "udp");
	server->mode = or_default(server->mode, "tun");
}

/* What is still left open. */
static void set_common(Provision__VpnServer *server)
{
	server->port = server->port != 0 ? server->port : PORT;
	server->protocol = or_default(server->protocol, "udp");
	server->mode = or_default(server->mode, "tap");
}

/* The first of "udp/1194" that goes with the protocol, if there is one. */
static void take_port(const Provision__Profile *profile, Provision__VpnServer *server)
{
	for (size_t i = 0; server->port == 0 && i < profile->n_ports; i++) {
		const char *port = strchr(profile->ports[i], '/') + 1;
		bool is_tcp = strncmp(profile->ports[i], "tcp", 3) == 0;

		if (*server->protocol != '\0' && is_tcp != (strcmp(server->protocol, "tcp") == 0))
			continue;
		server->port = (uint32_t)strtoul(port, NULL, 10);
		server->protocol = is_tcp ? "tcp" : "udp";
	}
}

/* Apps have the profile's network and mode from it. */
static err_t take_profile(struct call *call, Provision__VpnServer *server)
{
	Provision__Profile profile = PROVISION__PROFILE__INIT;
	err_t err;

	if (*server->profile == '\0')
		return OK;
	if ((err = check_uuid(call, "profile", server->profile)) != OK ||
		(err = store_profile_get(call, server->profile, &profile)) != OK)
		return err;
	server->network = or_default(server->network, profile.network);
	server->mode = or_default(server->mode, profile.mode);
	server->host = or_default(server->host, profile.host);
	take_port(&profile, server);
	if (strcmp(server->network, profile.network) != 0)
		return call_refuse(call, ERR_INVALID_ARGUMENT, "network",
			"expected the profile's network, or nothing");
	if (!is_wireguard(server) && strcmp(server->mode, profile.mode) != 0)
		return call_refuse(call, ERR_INVALID_ARGUMENT, "mode",
			"expected %s, as the profile has it, or nothing", profile.mode);
	if (!access_has_protocol(&profile, server->kind))
		return call_refuse(call, ERR_INVALID_ARGUMENT, "profile",
			"expected a profile that has %s among its protocols", server->kind);
	return OK;
}

static err_t check_server(struct call *call, const Provision__VpnServer *server)
{
	static const char *const protocols[] = { "udp", "tcp", NULL };
	static const char *const modes[] = { "tap", "tun", NULL };
	static const char *const kinds[] = { "openvpn", "wireguard", NULL };
	err_t err;

	if ((err = check_word(call, "kind", server->kind, kinds)) != OK ||
		(err = check_uuid(call, "device", server->device)) != OK ||
		(err = check_uuid(call, "network", server->network)) != OK ||
		(err = certificate_check_host(call, "host", server->host)) != OK ||
		(err = check_word(call, "protocol", server->protocol, protocols)) != OK ||
		(err = check_word(call, "mode", server->mode, modes)) != OK)
		return err;
	if (server->port > PORT_MAX)
		return call_refuse(
			call, ERR_INVALID_ARGUMENT, "port", "expected 1 to %d", PORT_MAX);
	if (server->max_clients > CLIENTS_MAX)
		return call_refuse(call, ERR_INVALID_ARGUMENT, "max_clients", "expected at most %d",
			CLIENTS_MAX);
	return OK;
}

/* Who connects by WireGuard has it from a profile, and is routed. */
static err_t check_wireguard(struct call *call, const Provision__VpnServer *server)
{
	if (!is_wireguard(server))
		return OK;
	if (*server->profile == '\0')
		return call_refuse(call, ERR_INVALID_ARGUMENT, "profile",
			"expected the profile that the WireGuard server is for");
	if (strcmp(server->mode, "tun") != 0)
		return call_refuse(call, ERR_INVALID_ARGUMENT, "mode",
			"expected tun, or nothing, for WireGuard");
	if (strcmp(server->protocol, "udp") != 0)
		return call_refuse(call, ERR_INVALID_ARGUMENT, "protocol",
			"expected udp, or nothing, for WireGuard");
	if (server->max_clients > CLIENTS)
		return call_refuse(call, ERR_INVALID_ARGUMENT, "max_clients",
			"expected at most %d for WireGuard: make several servers", CLIENTS);
	return OK;
}

/* The stations of OpenVPN are behind the device: it becomes a bridge. */
static err_t make_bridge(
	struct call *call, const Provision__VpnServer *server, const Provision__Member *member)
{
	Provision__UpdateMemberRequest update = PROVISION__UPDATE_MEMBER_REQUEST__INIT;
	Provision__Member changed = PROVISION__MEMBER__INIT;
	uint32_t stations = server->max_clients + 2; /* the device's own, and the bridge's */

	update.id = member->id;
	update.set_bridge_case = PROVISION__UPDATE_MEMBER_REQUEST__SET_BRIDGE_BRIDGE;
	update.bridge = true;
	update.set_mac_limit_case = PROVISION__UPDATE_MEMBER_REQUEST__SET_MAC_LIMIT_MAC_LIMIT;
	update.mac_limit = member->mac_limit > stations ? member->mac_limit : stations;
	return update_member(call, &update, &changed);
}

/* The device answers for the addresses of the clients behind it. */
static err_t unguard(struct call *call, const Provision__Member *member)
{
	Provision__UpdateMemberRequest update = PROVISION__UPDATE_MEMBER_REQUEST__INIT;
	Provision__Member changed = PROVISION__MEMBER__INIT;

	update.id = member->id;
	update.set_address_guard_case =
		PROVISION__UPDATE_MEMBER_REQUEST__SET_ADDRESS_GUARD_ADDRESS_GUARD;
	update.address_guard = false;
	return update_member(call, &update, &changed);
}

static err_t prepare_member(struct call *call, const Provision__VpnServer *server)
{
	Provision__MemberList members = PROVISION__MEMBER_LIST__INIT;
	Provision__ListRequest list = PROVISION__LIST_REQUEST__INIT;
	err_t err;

	list.network = server->network;
	list.device = server->device;
	if ((err = store_member_list(call, &list, &members)) != OK)
		return err;
	if (members.n_items == 0)
		return call_refuse(call, ERR_FAILED_PRECONDITION, "device",
			"the device is no member of the network");
	return strcmp(server->mode, "tap") == 0 ? make_bridge(call, server, members.items[0])
						: unguard(call, members.items[0]);
}

err_t create_vpn_server(struct call *call, const Provision__CreateVpnServerRequest *request,
	Provision__VpnServer *reply)
{
	Provision__VpnServer server = PROVISION__VPN_SERVER__INIT;
	err_t err;

	set_defaults(request, &server);
	set_wireguard(&server);
	if ((err = take_profile(call, &server)) != OK)
		return err;
	set_common(&server);
	if ((err = check_server(call, &server)) != OK ||
		(err = check_wireguard(call, &server)) != OK ||
		(err = prepare_member(call, &server)) != OK ||
		(err = store_vpn_server_create(call, &server, reply)) != OK)
		return err;
	return AUDIT(call, "vpn_server.created", .subject = reply->id, .after = reply->host);
}

err_t get_vpn_server(struct call *call, const Provision__Ref *request, Provision__VpnServer *reply)
{
	err_t err = check_uuid(call, "id", request->id);

	return err == OK ? store_vpn_server_get(call, request->id, reply) : err;
}

err_t list_vpn_servers(
	struct call *call, const Provision__ListRequest *request, Provision__VpnServerList *reply)
{
	err_t err = request_check_list(call, request);

	return err == OK ? store_vpn_server_list(call, request, reply) : err;
}

err_t delete_vpn_server(struct call *call, const Provision__Ref *request, Provision__Empty *reply)
{
	Provision__VpnServer server = PROVISION__VPN_SERVER__INIT;
	err_t err;

	(void)reply;
	if ((err = get_vpn_server(call, request, &server)) != OK ||
		(err = request_check_version(call, request->version, server.version)) != OK ||
		(err = store_vpn_connections_lost(call, server.id)) != OK ||
		(err = peer_end_server(call, server.id)) != OK ||
		(err = store_vpn_server_delete(call, server.id)) != OK)
		return err;
	return AUDIT(call, "vpn_server.deleted", .subject = server.id, .before = server.host);
}

/* ---- how one begins ---- */

static err_t issue(struct call *call, const char *host, char *csr, Provision__VpnServerStart *reply)
{
	Provision__IssueCertificateRequest request = PROVISION__ISSUE_CERTIFICATE_REQUEST__INIT;
	Provision__Certificate certificate = PROVISION__CERTIFICATE__INIT;
	err_t err;

	if (*csr == '\0')
		return OK;
	request.kind = "server";
	request.subject = (char *)(uintptr_t)host;
	request.label = "openvpn";
	request.csr = csr;
	if ((err = issue_certificate(call, &request, &certificate)) != OK)
		return err;
	reply->certificate =
		arena_printf(call->arena, "%s%s", certificate.certificate, certificate.chain);
	return OK;
}

static err_t tell_keys(struct call *call, Provision__VpnServerStart *reply)
{
	const char *sealed, *trust, *ta_key = "";
	AUTO_ROWS portal = NULL;
	err_t err;

	if ((err = authority_trust(call, &trust)) != OK ||
		(err = store_portal_lock(call, &portal)) != OK)
		return err;
	reply->trust = (char *)(uintptr_t)trust;
	sealed = db_text(portal, 0, "ta_key");
	if (*sealed != '\0')
		err = vault_unseal(call, publish_ta_key_use(call), sealed, &ta_key);
	reply->ta_key = (char *)(uintptr_t)ta_key;
	return err;
}

/* Where the device itself is in the network. */
static err_t tell_place(struct call *call, Provision__VpnServerStart *reply)
{
	AUTO_ROWS rows = NULL;
	err_t err = store_member_attachments(
		call, reply->server->device, reply->server->network, &rows);

	if (err != OK)
		return err;
	if (db_count(rows) == 0)
		return own_refuse_stranger(call);
	db_message(rows, 0, call->arena, &reply->base);
	return OK;
}

static err_t tell_profile(struct call *call, Provision__VpnServerStart *reply)
{
	Provision__ProfileServer served = PROVISION__PROFILE_SERVER__INIT;
	Provision__Ref ref = PROVISION__REF__INIT;
	err_t err;

	ref.id = reply->server->profile;
	if (*ref.id == '\0')
		return OK;
	err = get_profile_server(call, &ref, &served);
	reply->profile = served.profile;
	reply->tls_crypt = served.tls_crypt;
	return err;
}

err_t start_vpn_server(struct call *call, const Provision__StartVpnServerRequest *request,
	Provision__VpnServerStart *reply)
{
	struct own_server own;
	const char *run;
	err_t err;

	if ((err = own_find(call, request->device, request->server, "openvpn", true, &own)) != OK)
		return err;
	reply->server = arena_alloc(call->arena, sizeof(*reply->server));
	*reply->server = own.server;
	if ((err = tell_place(call, reply)) != OK || (err = tell_keys(call, reply)) != OK ||
		(err = tell_profile(call, reply)) != OK ||
		(err = issue(call, own.server.host, request->csr, reply)) != OK ||
		(err = store_vpn_connections_lost(call, own.server.id)) != OK ||
		(err = store_vpn_server_start(call, own.server.id, &run)) != OK)
		return err;
	reply->run = (char *)(uintptr_t)run;
	return OK;
}
