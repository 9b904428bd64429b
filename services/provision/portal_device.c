/* portal_device: the rpcs by which operators bring devices to the portal, and see how they do. */
#include "services/provision/portals.h"

#include "lib/check.h"
#include "services/provision/audit/audit.h"
#include "services/provision/auth.h"
#include "services/provision/member.h"
#include "services/provision/portal_event.h"
#include "services/provision/portal_register.h"
#include "services/provision/portal_serial.h"
#include "services/provision/publish.h"
#include "services/provision/request.h"
#include "services/provision/state.h"
#include "services/provision/store_portal.h"

#include <string.h>

#define NO_KEY "00000000-0000-0000-0000-000000000000" /* an operator let it in, no key did */

bool portal_serial_valid(const char *serial)
{
	static const char first[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	size_t len = strlen(serial);

	return len >= 1 && len <= 64 && strchr(first, serial[0]) != NULL &&
	       strspn(serial, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			      "0123456789._-") == len;
}

static err_t refuse_serial(struct call *call)
{
	return call_refuse(call, ERR_INVALID_ARGUMENT, "serial",
		"expected 1 to 64 letters, digits and ._-, the first one no mark");
}

static err_t check_create(struct call *call, const Provision__CreatePortalDeviceRequest *request)
{
	err_t err;

	if ((err = check_label(call, "name", request->name)) != OK)
		return err;
	if (!portal_serial_valid(request->serial))
		return refuse_serial(call);
	return *request->network != '\0' ? check_uuid(call, "network", request->network) : OK;
}

static err_t create_device(struct call *call, const struct portal_registration *registration,
	Provision__Device *device)
{
	Provision__Device wanted = PROVISION__DEVICE__INIT;

	wanted.name = (char *)(uintptr_t)registration->name;
	wanted.state = (char *)(uintptr_t)registration->state;
	wanted.enrolment_key = NO_KEY;
	return store_device_create(call, &wanted, device);
}

/* A device that waits for approval gets its first package then; a portal without a template yet
 * makes it when it is told to. */
static err_t publish_first(struct call *call, Provision__PortalDevice *device)
{
	AUTO_ROWS portal = NULL;
	Provision__Device found = PROVISION__DEVICE__INIT;
	err_t err;

	if ((err = store_portal_lock(call, &portal)) != OK ||
		(err = store_device_get(call, device->id, &found)) != OK ||
		strcmp(found.state, STATE_APPROVED) != 0 || !publish_possible(portal))
		return err;
	if ((err = publish_next(call, device)) != OK)
		return err;
	return store_portal_device_get(call, device->id, device);
}

err_t portal_register(
	struct call *call, const struct portal_registration *wanted, Provision__PortalDevice *reply)
{
	Provision__Device device = PROVISION__DEVICE__INIT;
	Provision__Member member = PROVISION__MEMBER__INIT;
	const char *secret = "";
	err_t err;

	if ((err = create_device(call, wanted, &device)) != OK ||
		(err = store_portal_device_create(
			 call, device.id, wanted->serial, wanted->legacy, reply)) != OK ||
		(err = portal_changed(call, wanted->serial)) != OK ||
		(err = AUDIT(call, "device.registered", .subject = device.id,
			 .after = wanted->serial)) != OK ||
		(err = publish_first(call, reply)) != OK)
		return err;
	if (!wanted->legacy && (err = auth_issue_secret(call, device.id, &secret)) != OK)
		return err;
	if (*wanted->network != '\0' &&
		(err = member_admit(call, wanted->network, device.id, &member)) != OK)
		return err;
	reply->secret = (char *)(uintptr_t)secret;
	return OK;
}

err_t portal_approved(struct call *call, const char *device)
{
	Provision__PortalDevice found = PROVISION__PORTAL_DEVICE__INIT;
	err_t err = store_portal_device_lock(call, device, &found);

	if (err == ERR_NOT_FOUND) {
		call->fault = (struct fault){ 0 };
		return OK;
	}
	return err == OK && found.current == 0 ? publish_first(call, &found) : err;
}

/* A device that was enrolled has a name, a secret and its networks; the portal may know it by its
 * id. */
static err_t check_adopt(struct call *call, const Provision__CreatePortalDeviceRequest *request)
{
	if (*request->name != '\0' || *request->network != '\0' || request->legacy)
		return call_refuse(call, ERR_INVALID_ARGUMENT, "device",
			"expected neither name, network nor legacy with it: the device has its "
			"own");
	if (*request->serial != '\0' && !portal_serial_valid(request->serial))
		return refuse_serial(call);
	return check_uuid(call, "device", request->device);
}

static err_t adopt(struct call *call, const Provision__CreatePortalDeviceRequest *request,
	Provision__PortalDevice *reply)
{
	Provision__Device device = PROVISION__DEVICE__INIT;
	const char *serial = *request->serial != '\0' ? request->serial : request->device;
	err_t err;

	if ((err = check_adopt(call, request)) != OK ||
		(err = store_device_lock(call, request->device, &device)) != OK ||
		(err = store_portal_device_create(call, device.id, serial, false, reply)) != OK ||
		(err = portal_changed(call, serial)) != OK ||
		(err = AUDIT(call, "device.registered", .subject = device.id, .after = serial)) !=
			OK)
		return err;
	return publish_first(call, reply);
}

err_t create_portal_device(struct call *call, const Provision__CreatePortalDeviceRequest *request,
	Provision__PortalDevice *reply)
{
	const struct portal_registration wanted = {
		.name = request->name,
		.serial = request->serial,
		.network = request->network,
		.state = STATE_APPROVED,
		.legacy = request->legacy,
	};
	err_t err;

	if (*request->device != '\0')
		return adopt(call, request, reply);
	err = check_create(call, request);
	return err == OK ? portal_register(call, &wanted, reply) : err;
}

err_t get_portal_device(
	struct call *call, const Provision__Ref *request, Provision__PortalDevice *reply)
{
	err_t err = check_uuid(call, "id", request->id);

	return err == OK ? store_portal_device_get(call, request->id, reply) : err;
}

err_t list_portal_devices(struct call *call, const Provision__ListRequest *request,
	Provision__PortalDeviceList *reply)
{
	err_t err = request_check_list(call, request);

	return err == OK ? store_portal_device_list(call, request, reply) : err;
}

err_t publish_package(
	struct call *call, const Provision__Ref *request, Provision__PortalDevice *reply)
{
	err_t err;

	if ((err = check_uuid(call, "id", request->id)) != OK ||
		(err = store_portal_device_lock(call, request->id, reply)) != OK ||
		(err = request_check_version(call, request->version, reply->version)) != OK ||
		(err = publish_next(call, reply)) != OK)
		return err;
	return store_portal_device_get(call, request->id, reply);
}

/* From now on nobody is believed by the serial number alone, nor by an earlier secret. */
err_t issue_portal_secret(
	struct call *call, const Provision__Ref *request, Provision__PortalDevice *reply)
{
	Provision__Device device = PROVISION__DEVICE__INIT;
	const char *before, *secret;
	err_t err;

	if ((err = check_uuid(call, "id", request->id)) != OK ||
		(err = store_portal_device_lock(call, request->id, reply)) != OK ||
		(err = request_check_version(call, request->version, reply->version)) != OK ||
		(err = store_device_get(call, request->id, &device)) != OK)
		return err;
	if (strcmp(device.state, STATE_RETIRED) == 0)
		return call_refuse(call, ERR_FAILED_PRECONDITION, "id",
			"the device is retired: it logs in no more");
	before = reply->legacy ? "MD5(serial)" : "a secret of its own";
	if ((err = store_portal_device_keeps_secret(call, request->id)) != OK ||
		(err = portal_changed(call, reply->serial)) != OK ||
		(err = AUDIT(call, "device.secret_issued", .subject = reply->id,
			 .device = reply->id, .before = before)) != OK ||
		(err = store_portal_device_get(call, request->id, reply)) != OK ||
		(err = auth_issue_secret(call, request->id, &secret)) != OK)
		return err;
	reply->secret = (char *)(uintptr_t)secret;
	return OK;
}

/* ---- out of quarantine, and out of sight ---- */

err_t release_portal_device(
	struct call *call, const Provision__Ref *request, Provision__PortalDevice *reply)
{
	err_t err;

	if ((err = check_uuid(call, "id", request->id)) != OK ||
		(err = store_portal_device_lock(call, request->id, reply)) != OK ||
		(err = request_check_version(call, request->version, reply->version)) != OK)
		return err;
	if (*reply->quarantined_at == '\0')
		return OK;
	if ((err = store_portal_device_release(call, request->id)) != OK ||
		(err = portal_changed(call, reply->serial)) != OK ||
		(err = AUDIT(call, "device.released", .subject = reply->id,
			 .before = reply->quarantined_at)) != OK)
		return err;
	return store_portal_device_get(call, request->id, reply);
}

/* Until then its serial number can't be registered again. */
err_t forget_portal_device(
	struct call *call, const Provision__Ref *request, Provision__Empty *reply)
{
	Provision__PortalDevice found = PROVISION__PORTAL_DEVICE__INIT;
	Provision__Device device = PROVISION__DEVICE__INIT;
	err_t err;

	(void)reply;
	if ((err = check_uuid(call, "id", request->id)) != OK ||
		(err = store_portal_device_lock(call, request->id, &found)) != OK ||
		(err = request_check_version(call, request->version, found.version)) != OK ||
		(err = store_device_get(call, request->id, &device)) != OK)
		return err;
	if (strcmp(device.state, STATE_RETIRED) != 0)
		return call_refuse(call, ERR_FAILED_PRECONDITION, "id",
			"the device is %s: retire it first, which ends its access to the VPN",
			device.state);
	if ((err = store_portal_device_forget(call, request->id)) != OK ||
		(err = portal_changed(call, found.serial)) != OK)
		return err;
	return AUDIT(call, "serial.released", .subject = found.id, .before = found.serial);
}
