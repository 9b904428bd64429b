/* claims: the handlers of proto/claim.proto, as provision.h. */
#pragma once

#include "lib/call.h"
#include "lib/db.h"
#include "proto/claim.pb-c.h"

/* ---- import.c ---- */

err_t import_devices(struct call *call, const Provision__ImportDevicesRequest *request,
	Provision__ImportReport *reply) MUST_CHECK;

/* ---- expected.c ---- */

err_t get_expected_device(struct call *call, const Provision__Ref *request,
	Provision__ExpectedDevice *reply) MUST_CHECK;
err_t list_expected_devices(struct call *call, const Provision__ListExpectedDevicesRequest *request,
	Provision__ExpectedDeviceList *reply) MUST_CHECK;
err_t delete_expected_device(
	struct call *call, const Provision__Ref *request, Provision__Empty *reply) MUST_CHECK;
err_t create_claim_code(
	struct call *call, const Provision__Ref *request, Provision__ClaimCode *reply) MUST_CHECK;
err_t transfer_portal_device(
	struct call *call, const Provision__Ref *request, Provision__ClaimCode *reply) MUST_CHECK;

/* ---- claim.c ---- */

err_t claim_device(struct call *call, const Provision__ClaimDeviceRequest *request,
	Provision__Claim *reply) MUST_CHECK;

/* A legacy device that is expected polls for the first time and is believed: makes it a device.
 * `row` is that of store_expected_legacy. */
err_t claim_first_contact(struct call *call, const struct db_rows *row, const char *serial,
	const char *source) MUST_CHECK;
