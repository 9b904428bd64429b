/*
 * device: the rpcs of devices but their enrolment. A device that is blocked or retired loses its
 * tokens and its sessions at once: auth revokes them, and its members are told as removed.
 */
#include "services/provision/provision.h"

#include "lib/check.h"
#include "lib/event.h"
#include "proto/event.pb-c.h"
#include "services/provision/audit/audit.h"
#include "services/provision/auth.h"
#include "services/provision/authority.h"
#include "services/provision/certificates.h"
#include "services/provision/member.h"
#include "services/provision/portal_event.h"
#include "services/provision/portal_register.h"
#include "services/provision/request.h"
#include "services/provision/state.h"
#include "services/provision/store.h"

#include <string.h>

err_t get_device(struct call *call, const Provision__Ref *request, Provision__Device *reply)
{
	err_t err;

	if ((err = check_uuid(call, "id", request->id)) != OK)
		return err;
	return store_device_get(call, request->id, reply);
}

err_t list_devices(
	struct call *call, const Provision__ListRequest *request, Provision__DeviceList *reply)
{
	err_t err;

	if ((err = request_check_list(call, request)) != OK)
		return err;
	return store_device_list(call, request, reply);
}

/* Locks the device and checks that it is of the version that the caller knows. */
static err_t lock_version(
	struct call *call, const char *id, int64_t version, Provision__Device *device)
{
	err_t err;

	if ((err = check_uuid(call, "id", id)) != OK ||
		(err = store_device_lock(call, id, device)) != OK)
		return err;
	return request_check_version(call, version, device->version);
}

static err_t check_update(struct call *call, const Provision__UpdateDeviceRequest *request)
{
	static const char *const states[] = { STATE_APPROVED, STATE_BLOCKED, NULL };
	err_t err;

	if (request->set_name_case == PROVISION__UPDATE_DEVICE_REQUEST__SET_NAME_NAME &&
		(err = check_label(call, "name", request->name)) != OK)
		return err;
	if (request->set_state_case == PROVISION__UPDATE_DEVICE_REQUEST__SET_STATE_STATE)
		return check_word(call, "state", request->state, states);
	return OK;
}

static const char *describe(struct call *call, const Provision__Device *device)
{
	return arena_printf(call->arena, "%s %s", device->name, device->state);
}

/* Stores the new name and state, and tells of the members whose name or fate that changes. What is
 * listed as revoked follows the state. */
static err_t change(struct call *call, const Provision__Device *before, const char *name,
	const char *state, Provision__Device *reply)
{
	AUTO_ROWS rows = NULL;
	err_t err;

	if ((err = store_device_update(call, before->id, name, state, reply)) != OK ||
		(err = store_member_touch(call, before->id, &rows)) != OK ||
		(err = member_publish(call, rows)) != OK ||
		(err = AUDIT(call, "device.changed", .subject = before->id,
			 .before = describe(call, before), .after = describe(call, reply))) != OK)
		return err;
	if (strcmp(state, before->state) == 0)
		return OK;
	if ((err = portal_changed(call, "")) != OK)
		return err;
	return authority_device_changed(call, before->id);
}

static err_t tell_resumed(struct call *call, const char *device)
{
	Event__Resumed event = EVENT__RESUMED__INIT;

	event.subject = arena_printf(call->arena, "device:%s", device);
	return event_publish(call, "resumed", &event.base);
}

err_t update_device(
	struct call *call, const Provision__UpdateDeviceRequest *request, Provision__Device *reply)
{
	Provision__Device before = PROVISION__DEVICE__INIT;
	const char *name, *state;
	err_t err;

	if ((err = check_update(call, request)) != OK ||
		(err = lock_version(call, request->id, request->version, &before)) != OK)
		return err;
	name = request->set_name_case == PROVISION__UPDATE_DEVICE_REQUEST__SET_NAME_NAME
		       ? request->name
		       : before.name;
	state = request->set_state_case == PROVISION__UPDATE_DEVICE_REQUEST__SET_STATE_STATE
			? request->state
			: before.state;
	if ((err = state_check_change(call, before.state, state)) != OK)
		return err;
	*reply = before;
	if (strcmp(name, before.name) == 0 && strcmp(state, before.state) == 0)
		return OK;
	if ((err = change(call, &before, name, state, reply)) != OK)
		return err;
	if (strcmp(before.state, STATE_PENDING) == 0 && strcmp(state, STATE_APPROVED) == 0)
		return portal_approved(call, before.id);
	if (strcmp(state, STATE_BLOCKED) == 0 && strcmp(before.state, STATE_BLOCKED) != 0)
		return auth_revoke(call, before.id, "the device was blocked", true);
	if (strcmp(before.state, STATE_BLOCKED) == 0 && strcmp(state, STATE_BLOCKED) != 0)
		return tell_resumed(call, before.id);
	return OK;
}

err_t retire_device(struct call *call, const Provision__Ref *request, Provision__Device *reply)
{
	AUTO_ROWS rows = NULL;
	const char *before;
	err_t err;

	if ((err = lock_version(call, request->id, request->version, reply)) != OK)
		return err;
	before = describe(call, reply);
	if (strcmp(reply->state, STATE_RETIRED) == 0)
		return OK;
	if ((err = state_check_change(call, reply->state, STATE_RETIRED)) != OK ||
		(err = store_device_update(call, reply->id, reply->name, STATE_RETIRED, reply)) !=
			OK ||
		(err = store_member_delete_all(call, reply->id, &rows)) != OK ||
		(err = member_publish(call, rows)) != OK ||
		(err = certificate_revoke_subject(call, reply->id, "the device was retired")) !=
			OK ||
		(err = portal_changed(call, "")) != OK ||
		(err = AUDIT(call, "device.retired", .subject = reply->id, .before = before,
			 .after = describe(call, reply))) != OK)
		return err;
	return auth_revoke(call, reply->id, "the device was retired", false);
}
