/*
 * attach: an approved device asks for all that it needs to bring up its side of one network.
 * Devices come here before each connection and whenever their token ends, so it must stay cheap.
 */
#include "services/provision/provision.h"

#include "lib/check.h"
#include "services/provision/auth.h"
#include "services/provision/state.h"
#include "services/provision/store.h"

#include <string.h>

/* Picks the one network that the device means, with its addresses there and what the token says of
 * them. */
static err_t find_attachment(struct call *call, const Provision__AttachRequest *request,
	Provision__Attachment *reply, Auth__SignTokenRequest *token)
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
	db_message(rows, 0, call->arena, &token->base);
	return OK;
}

static char *without_prefix(struct call *call, const char *address)
{
	return arena_strndup(call->arena, address, strcspn(address, "/"));
}

static err_t sign(struct call *call, const char *device, Auth__SignTokenRequest *request,
	Provision__Attachment *reply)
{
	static char *scopes[] = { "network:attach", "pairs:claim" };
	const Auth__Token *token;
	err_t err;

	request->subject = arena_printf(call->arena, "device:%s", device);
	request->role = "device";
	request->scopes = scopes;
	request->n_scopes = ARRAY_LEN(scopes);
	request->ipv4 = without_prefix(call, request->ipv4);
	request->ipv6 = without_prefix(call, request->ipv6);
	if ((err = auth_sign_token(call, request, &token)) != OK)
		return err;
	reply->access_token = token->access_token;
	reply->expires_in = token->expires_in;
	return OK;
}

err_t attach_device(struct call *call, const struct urls *urls,
	const Provision__AttachRequest *request, Provision__Attachment *reply)
{
	Provision__Device device = PROVISION__DEVICE__INIT;
	Auth__SignTokenRequest token = AUTH__SIGN_TOKEN_REQUEST__INIT;
	err_t err;

	if ((err = check_uuid(call, "device", request->device)) != OK)
		return err;
	/* A UUID is a label too. */
	if (*request->network != '\0' &&
		(err = check_label(call, "network", request->network)) != OK)
		return err;
	if ((err = store_device_lock(call, request->device, &device)) != OK ||
		(err = state_check_attach(call, device.state)) != OK ||
		(err = find_attachment(call, request, reply, &token)) != OK ||
		(err = sign(call, request->device, &token, reply)) != OK)
		return err;
	reply->tenant = (char *)call->tenant;
	reply->urls = (char **)urls->list;
	reply->n_urls = urls->n;
	return store_device_attached(call, request->device);
}
