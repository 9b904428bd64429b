/*
 * member: the rpcs of members. Whatever changes a member, or whether its device may attach, is told
 * to dns and dataplane by an event in the same transaction.
 */
#include "services/provision/member.h"

#include "lib/check.h"
#include "lib/event.h"
#include "services/provision/address.h"
#include "services/provision/provision.h"
#include "services/provision/request.h"
#include "services/provision/state.h"
#include "services/provision/store.h"

#include <stdio.h>
#include <string.h>

err_t member_publish(struct call *call, const struct db_rows *rows)
{
	err_t err;

	for (size_t i = 0; i < db_count(rows); i++) {
		Event__Member event = EVENT__MEMBER__INIT;

		db_message(rows, i, call->arena, &event.base);
		if ((err = event_publish(call, "member", &event.base)) != OK)
			return err;
	}
	return OK;
}

err_t member_admit(
	struct call *call, const char *network, const char *device, Provision__Member *reply)
{
	char mac[ADDRESS_MAC_LEN];
	AUTO_ROWS rows = NULL;
	err_t err;

	address_random_mac(mac);
	if ((err = store_member_create(call, network, device, mac, reply)) != OK ||
		(err = store_member_event(call, reply->id, &rows)) != OK)
		return err;
	return member_publish(call, rows);
}

/* An unknown network or device is refused as such, by the name of its field. */
static err_t name_field(struct call *call, err_t err, const char *field)
{
	if (err == ERR_NOT_FOUND)
		snprintf(call->fault.field, sizeof(call->fault.field), "%s", field);
	return err;
}

err_t create_member(
	struct call *call, const Provision__CreateMemberRequest *request, Provision__Member *reply)
{
	Provision__Network network = PROVISION__NETWORK__INIT;
	Provision__Device device = PROVISION__DEVICE__INIT;
	err_t err;

	if ((err = check_uuid(call, "network", request->network)) != OK ||
		(err = check_uuid(call, "device", request->device)) != OK)
		return err;
	if ((err = store_device_lock(call, request->device, &device)) != OK)
		return name_field(call, err, "device");
	if (strcmp(device.state, STATE_RETIRED) == 0)
		return call_refuse(call, ERR_FAILED_PRECONDITION, "device",
			"the device is retired, which is final");
	if ((err = store_network_get(call, request->network, &network)) != OK)
		return name_field(call, err, "network");
	return member_admit(call, request->network, request->device, reply);
}

err_t get_member(struct call *call, const Provision__Ref *request, Provision__Member *reply)
{
	err_t err;

	if ((err = check_uuid(call, "id", request->id)) != OK)
		return err;
	return store_member_get(call, request->id, reply);
}

err_t list_members(
	struct call *call, const Provision__ListRequest *request, Provision__MemberList *reply)
{
	err_t err;

	if ((err = request_check_list(call, request)) != OK)
		return err;
	return store_member_list(call, request, reply);
}

err_t delete_member(struct call *call, const Provision__Ref *request, Provision__Empty *reply)
{
	Provision__Member member = PROVISION__MEMBER__INIT;
	AUTO_ROWS rows = NULL;
	err_t err;

	(void)reply;
	if ((err = check_uuid(call, "id", request->id)) != OK ||
		(err = store_member_lock(call, request->id, &member)) != OK ||
		(err = request_check_version(call, request->version, member.version)) != OK ||
		(err = store_member_delete(call, request->id, &rows)) != OK)
		return err;
	return member_publish(call, rows);
}
