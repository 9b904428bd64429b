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

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define MAC_LIMIT_MAX 4096

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

/* Puts what the request sets into the member; true if that changed anything. */
static bool apply_update(const Provision__UpdateMemberRequest *request, Provision__Member *member)
{
	Provision__Member old;

	memcpy(&old, member, sizeof(old)); /* with the bytes between its fields, for memcmp */
	if (request->set_mac_case != 0 && strcmp(request->mac, old.mac) != 0)
		member->mac = request->mac;
	if (request->set_mac_limit_case != 0)
		member->mac_limit = request->mac_limit;
	if (request->set_bridge_case != 0)
		member->bridge = request->bridge;
	if (request->set_isolated_case != 0)
		member->isolated = request->isolated;
	if (request->set_dhcp_server_case != 0)
		member->dhcp_server = request->dhcp_server;
	if (request->set_router_case != 0)
		member->router = request->router;
	if (request->set_address_guard_case != 0)
		member->address_guard = request->address_guard;
	return memcmp(&old, member, sizeof(old)) != 0;
}

static err_t check_update(struct call *call, const Provision__Member *member)
{
	if (*member->mac != '\0' && !address_mac_valid(member->mac))
		return call_refuse(call, ERR_INVALID_ARGUMENT, "mac",
			"expected the address of one station, such as 02:00:00:00:00:01, or \"\"");
	if (member->mac_limit < 1 || member->mac_limit > MAC_LIMIT_MAX)
		return call_refuse(
			call, ERR_INVALID_ARGUMENT, "mac_limit", "expected 1 to %d", MAC_LIMIT_MAX);
	if (member->bridge && member->mac_limit < 2)
		return call_refuse(call, ERR_INVALID_ARGUMENT, "mac_limit",
			"expected at least 2 for a bridge: its own and those behind it");
	return OK;
}

err_t update_member(
	struct call *call, const Provision__UpdateMemberRequest *request, Provision__Member *reply)
{
	Provision__Member member = PROVISION__MEMBER__INIT;
	AUTO_ROWS rows = NULL;
	err_t err;

	if ((err = check_uuid(call, "id", request->id)) != OK ||
		(err = store_member_lock(call, request->id, &member)) != OK ||
		(err = request_check_version(call, request->version, member.version)) != OK)
		return err;
	if (!apply_update(request, &member)) {
		*reply = member;
		return OK;
	}
	if ((err = check_update(call, &member)) != OK ||
		(err = store_member_update(call, &member, reply)) != OK ||
		(err = store_member_event(call, reply->id, &rows)) != OK)
		return err;
	return member_publish(call, rows);
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
