/* expected: the rpcs by which operators see expected devices and make the codes that claim them. */
#include "services/provision/claim/claims.h"

#include "lib/check.h"
#include "services/provision/audit/audit.h"
#include "services/provision/claim/code.h"
#include "lib/qr.h"
#include "services/provision/claim/store_claim.h"
#include "services/provision/portal_serial.h"
#include "services/provision/request.h"
#include "services/provision/store_portal.h"

#include <string.h>

#define TRANSFER_S (7 * 24 * 60 * 60)

err_t get_expected_device(
	struct call *call, const Provision__Ref *request, Provision__ExpectedDevice *reply)
{
	err_t err = check_uuid(call, "id", request->id);

	return err == OK ? store_expected_get(call, request->id, reply) : err;
}

err_t list_expected_devices(struct call *call, const Provision__ListExpectedDevicesRequest *request,
	Provision__ExpectedDeviceList *reply)
{
	err_t err;

	if (*request->cursor != '\0' && (err = check_uuid(call, "cursor", request->cursor)) != OK)
		return err;
	if (*request->serial != '\0' && !portal_serial_valid(request->serial))
		return call_refuse(call, ERR_INVALID_ARGUMENT, "serial",
			"expected a serial number of 1 to 64 letters, digits and ._-");
	return store_expected_list(call, request, reply);
}

static err_t lock(
	struct call *call, const Provision__Ref *request, Provision__ExpectedDevice *expected)
{
	err_t err;

	if ((err = check_uuid(call, "id", request->id)) != OK ||
		(err = store_expected_lock(call, request->id, expected)) != OK)
		return err;
	return request_check_version(call, request->version, expected->version);
}

err_t delete_expected_device(
	struct call *call, const Provision__Ref *request, Provision__Empty *reply)
{
	Provision__ExpectedDevice expected = PROVISION__EXPECTED_DEVICE__INIT;
	err_t err = lock(call, request, &expected);

	(void)reply;
	if (err != OK || (err = store_expected_delete(call, request->id)) != OK)
		return err;
	return AUDIT(
		call, "device.not_expected", .subject = expected.id, .before = expected.serial);
}

/* ---- codes ---- */

static err_t make_code(struct call *call, const char *id, int seconds, Provision__ClaimCode *reply)
{
	Provision__ExpectedDevice expected = PROVISION__EXPECTED_DEVICE__INIT;
	const char *code = claim_code_new(call->arena);
	err_t err = store_expected_get(call, id, &expected);

	if (err != OK ||
		(err = store_expected_code(call, id,
			 claim_code_digest(call->arena, expected.serial, code), seconds)) != OK ||
		(err = store_expected_get(call, id, &expected)) != OK)
		return err;
	reply->id = expected.id;
	reply->serial = expected.serial;
	reply->code = (char *)(uintptr_t)code;
	reply->code_until = expected.code_until;
	reply->version = expected.version;
	reply->qr_svg =
		qr_svg(call->arena, arena_printf(call->arena, "lanyard:claim?serial=%s&code=%s",
					    expected.serial, code));
	return OK;
}

err_t create_claim_code(
	struct call *call, const Provision__Ref *request, Provision__ClaimCode *reply)
{
	Provision__ExpectedDevice expected = PROVISION__EXPECTED_DEVICE__INIT;
	err_t err = lock(call, request, &expected);

	if (err != OK)
		return err;
	if (strcmp(expected.state, "claimed") == 0)
		return call_refuse(call, ERR_FAILED_PRECONDITION, "id",
			"the device was claimed: its owner may hand it over");
	if ((err = make_code(call, expected.id, 0, reply)) != OK)
		return err;
	return AUDIT(call, "claim_code.created", .subject = expected.id, .after = expected.serial);
}

err_t transfer_portal_device(
	struct call *call, const Provision__Ref *request, Provision__ClaimCode *reply)
{
	Provision__PortalDevice device = PROVISION__PORTAL_DEVICE__INIT;
	const char *id;
	err_t err;

	if ((err = check_uuid(call, "id", request->id)) != OK ||
		(err = store_portal_device_lock(call, request->id, &device)) != OK ||
		(err = request_check_version(call, request->version, device.version)) != OK ||
		(err = store_expected_transfer(call, device.id, &id)) != OK ||
		(err = make_code(call, id, TRANSFER_S, reply)) != OK)
		return err;
	return AUDIT(call, "device.offered", .subject = device.id, .after = device.serial);
}
