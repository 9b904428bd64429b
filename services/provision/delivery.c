/* delivery: the rpc by which edges say that a device has received a package. */
#include "services/provision/portals.h"

#include "lib/check.h"
#include "services/provision/audit/audit.h"
#include "services/provision/store_portal.h"

#include <inttypes.h>
#include <limits.h>
#include <string.h>

#define SOURCE_MAX 64

static err_t check_request(struct call *call, const Provision__NoteDeliveryRequest *request)
{
	if (request->package == 0 || request->package > INT_MAX)
		return call_refuse(
			call, ERR_INVALID_ARGUMENT, "package", "expected the number of a package");
	if (strlen(request->source) > SOURCE_MAX)
		return call_refuse(call, ERR_INVALID_ARGUMENT, "source", "expected an address");
	return check_uuid(call, "device", request->device);
}

/* It was asked for a while ago: who may have no package by now does not get it. */
static err_t check_still(struct call *call, const Provision__PortalDevice *device)
{
	if (strcmp(device->state, "disabled") != 0 && strcmp(device->state, "quarantined") != 0)
		return OK;
	return call_refuse(
		call, ERR_FAILED_PRECONDITION, "device", "the device is %s", device->state);
}

err_t note_delivery(
	struct call *call, const Provision__NoteDeliveryRequest *request, Provision__Empty *reply)
{
	Provision__PortalDevice found = PROVISION__PORTAL_DEVICE__INIT;
	err_t err;

	(void)reply;
	if ((err = check_request(call, request)) != OK ||
		(err = store_portal_device_lock(call, request->device, &found)) != OK ||
		(err = check_still(call, &found)) != OK ||
		(err = store_portal_delivered(call, found.id, (int)request->package)) != OK ||
		found.delivered == request->package)
		return err;
	return AUDIT(call, "package.delivered", .subject = found.id, .device = found.id,
		.source = request->source, .package = (int)request->package,
		.before = arena_printf(call->arena, "%" PRIu32, found.delivered),
		.after = arena_printf(call->arena, "%" PRIu32, request->package));
}
