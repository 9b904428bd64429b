/*
 * attach: an approved device asks for all that it needs to bring up its side of one network.
 * Devices come here before each connection and whenever their token ends, so it must stay cheap.
 */
#include "services/provision/provision.h"

#include "lib/check.h"
#include "services/provision/auth.h"
#include "services/provision/state.h"
#include "services/provision/store.h"

/* Picks the one network that the device means. */
static err_t find_attachment(struct call *call, const Provision__AttachRequest *request,
	Provision__Attachment *reply, int64_t *version)
{
	AUTO_ROWS rows = NULL;
	err_t err;

	err = store_member_attachments(call, request->device, request->network, &rows);
	if (err != OK)
		return err;
	if (db_count(rows) == 0 && *request->network == '\0')
		return call_refuse(call, ERR_FAILED_PRECONDITION, "network",
			"the device is a member of no network: an operator has to add it to one");
	if (db_count(rows) == 0)
		return call_refuse(call, ERR_NOT_FOUND, "network",
			"the device is no member of a network %s", request->network);
	if (db_count(rows) > 1)
		return call_refuse(call, ERR_INVALID_ARGUMENT, "network",
			"expected a network's id or name: the device is a member of several");
	db_message(rows, 0, call->arena, &reply->base);
	*version = db_int(rows, 0, "version");
	return OK;
}

static err_t sign(
	struct call *call, const char *device, int64_t version, Provision__Attachment *reply)
{
	static char *scopes[] = { "network:attach", "pairs:claim" };
	Auth__SignTokenRequest request = AUTH__SIGN_TOKEN_REQUEST__INIT;
	const Auth__Token *token;
	err_t err;

	request.subject = arena_printf(call->arena, "device:%s", device);
	request.role = "device";
	request.scopes = scopes;
	request.n_scopes = ARRAY_LEN(scopes);
	request.network = reply->network;
	request.member = reply->member;
	request.mac = reply->mac;
	request.mac_limit = 1;
	request.policy_version = version;
	if ((err = auth_sign_token(call, &request, &token)) != OK)
		return err;
	reply->access_token = token->access_token;
	reply->expires_in = token->expires_in;
	return OK;
}

err_t attach_device(struct call *call, const struct urls *urls,
	const Provision__AttachRequest *request, Provision__Attachment *reply)
{
	Provision__Device device = PROVISION__DEVICE__INIT;
	int64_t version = 0;
	err_t err;

	if ((err = check_uuid(call, "device", request->device)) != OK)
		return err;
	/* A UUID is a label too. */
	if (*request->network != '\0' &&
		(err = check_label(call, "network", request->network)) != OK)
		return err;
	if ((err = store_device_lock(call, request->device, &device)) != OK ||
		(err = state_check_attach(call, device.state)) != OK ||
		(err = find_attachment(call, request, reply, &version)) != OK ||
		(err = sign(call, request->device, version, reply)) != OK)
		return err;
	reply->tenant = (char *)call->tenant;
	reply->urls = (char **)urls->list;
	reply->n_urls = urls->n;
	return store_device_attached(call, request->device);
}
