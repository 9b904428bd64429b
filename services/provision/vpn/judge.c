/* judge: see judge.h. The chain of the certificate was verified by OpenVPN. */
#include "services/provision/vpn/judge.h"

#include "services/provision/certificates.h"
#include "services/provision/portals.h"
#include "services/provision/profile/admit.h"

#include <string.h>

#define PACKAGE_LABEL "package" /* of certificates that come with credentials (publish.c) */

static err_t refuse(Provision__VpnDecision *reply, const char *reason)
{
	reply->reason = (char *)(uintptr_t)reason;
	return OK;
}

/* The certificate and the credentials of a package belong together. */
static err_t judge_package(struct call *call,
	const Provision__AuthorizeVpnConnectionRequest *request, const struct vpn_client *client,
	Provision__VpnDecision *reply)
{
	Provision__AuthorizeVpnRequest shown = PROVISION__AUTHORIZE_VPN_REQUEST__INIT;
	Provision__Empty nothing = PROVISION__EMPTY__INIT;
	err_t err;

	shown.device = (char *)(uintptr_t)client->subject;
	shown.username = request->username;
	shown.password = request->password;
	shown.serial = request->serial;
	err = authorize_vpn(call, &shown, &nothing);
	return err == ERR_PERMISSION_DENIED ? refuse(reply, call->fault.detail) : err;
}

static err_t judge_device(struct call *call, const Provision__VpnServer *server,
	const Provision__AuthorizeVpnConnectionRequest *request, struct vpn_client *client,
	Provision__VpnDecision *reply)
{
	err_t err = store_vpn_member_host(call, server->network, client->subject, &client->host);

	if (err != OK)
		return err;
	if (*client->host == '\0')
		return refuse(reply, "the device is no member of this network");
	if (strcmp(client->label, PACKAGE_LABEL) != 0)
		return OK;
	/* OpenVPN ends when its kernel has no IPv6, and nobody is there to start it again. */
	client->ipv4_only = true;
	return judge_package(call, request, client, reply);
}

/* A user who is known finds the reason among the notices, too. */
static err_t judge_user(struct call *call, const struct own_server *own,
	const Provision__AuthorizeVpnConnectionRequest *request, Provision__VpnDecision *reply)
{
	const struct admit_visit visit = { .network = own->server.network,
		.profile_id = own->profile,
		.serial = request->serial,
		.username = request->username,
		.password = request->password,
		.proven = request->proven };
	const char *refused;
	err_t err = admit_user(call, &visit, &refused);

	return err == OK && refused != NULL ? refuse(reply, refused) : err;
}

err_t judge_again(
	struct call *call, const struct own_server *own, const char *serial, bool *refused)
{
	const struct admit_visit visit = { .network = own->server.network,
		.profile_id = own->profile,
		.serial = serial,
		.proven = true };
	const char *why = NULL;
	err_t err = admit_user(call, &visit, &why);

	*refused = why != NULL;
	return err;
}

/* Why a certificate that is not valid is refused. */
static const char *why(const char *state)
{
	static const struct {
		const char *state, *reason;
	} reasons[] = {
		{ "expired", "the certificate has expired" },
		{ "revoked", "the certificate was revoked" },
		{ "suspended", "the device is blocked" },
	};

	for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
		if (strcmp(reasons[i].state, state) == 0)
			return reasons[i].reason;
	return "user or certificate does not exist";
}

err_t judge(struct call *call, const struct own_server *own,
	const Provision__AuthorizeVpnConnectionRequest *request, struct vpn_client *client,
	Provision__VpnDecision *reply)
{
	Provision__GetCertificateStatusRequest ask =
		PROVISION__GET_CERTIFICATE_STATUS_REQUEST__INIT;
	Provision__CertificateStatus status = PROVISION__CERTIFICATE_STATUS__INIT;
	err_t err;

	ask.serial = request->serial;
	err = get_certificate_status(call, &ask, &status);
	if (err != OK && err != ERR_INVALID_ARGUMENT)
		return err;
	if (err != OK || strcmp(status.state, "valid") != 0)
		return refuse(reply, why(status.state));
	*client = (struct vpn_client){ .kind = status.kind,
		.subject = status.subject,
		.label = status.label,
		.serial = request->serial,
		.source = request->source };
	if (strcmp(status.kind, "device") == 0)
		return judge_device(call, &own->server, request, client, reply);
	if (strcmp(status.kind, "user") == 0)
		return judge_user(call, own, request, reply);
	return refuse(reply, "the certificate is a server's");
}
