/*
 * vpn: what a VPN server asks about portal devices, and what follows from what it sees: the first
 * use of a package's credentials ends those before it, and a package that is never used is taken
 * back.
 */
#include "services/provision/portals.h"

#include "lib/check.h"
#include "lib/log.h"
#include "services/provision/audit/audit.h"
#include "services/provision/certificates.h"
#include "services/provision/portal_event.h"
#include "services/provision/publish.h"
#include "services/provision/store_pki.h"
#include "services/provision/store_portal.h"

#include <string.h>

#define PASSWORD_MAX 256

static err_t refuse(struct call *call)
{
	return call_refuse(call, ERR_PERMISSION_DENIED, "", "these credentials are not good here");
}

static err_t end_older(struct call *call, const char *device, int number)
{
	AUTO_ROWS rows = NULL;
	err_t err = store_vpn_older(call, device, number, &rows);

	for (size_t i = 0; err == OK && i < db_count(rows); i++) {
		Provision__RevokeCertificateRequest request =
			PROVISION__REVOKE_CERTIFICATE_REQUEST__INIT;
		Provision__RevokedCertificates count = PROVISION__REVOKED_CERTIFICATES__INIT;

		request.serial = (char *)(uintptr_t)db_text(rows, i, "serial");
		request.reason = "a newer package is in use";
		err = revoke_certificate(call, &request, &count);
	}
	return err;
}

err_t authorize_vpn(
	struct call *call, const Provision__AuthorizeVpnRequest *request, Provision__Empty *reply)
{
	AUTO_ROWS rows = NULL;
	int number;
	err_t err;

	(void)reply;
	if (check_uuid(call, "device", request->device) != OK ||
		strcmp(request->device, request->username) != 0 ||
		strlen(request->password) > PASSWORD_MAX || strlen(request->serial) > PASSWORD_MAX)
		return refuse(call);
	err = store_vpn_find(call, request->device, publish_digest(call->arena, request->password),
		request->serial, &rows);
	if (err != OK)
		return err;
	if (db_count(rows) == 0)
		return refuse(call);
	number = (int)db_int(rows, 0, "number");
	if ((err = store_vpn_seen(call, request->device, number)) != OK ||
		number == db_int(rows, 0, "good"))
		return err;
	log_info("package_in_use", "tenant=%s device=%s number=%d", call->tenant, request->device,
		number);
	if ((err = AUDIT(call, "package.in_use", .subject = request->device,
		     .before = db_text(rows, 0, "good"),
		     .after = arena_printf(call->arena, "%d", number), .package = number)) != OK)
		return err;
	return end_older(call, request->device, number);
}

/* The task's call is everybody's: the record is the device's tenant's. */
static err_t note_taken_back(struct call *call, const struct db_rows *rows, size_t i)
{
	const char *tenant = call->tenant;
	err_t err;

	log_warn("package_taken_back",
		"tenant=%s device=%s number=%s"
		" action=\"find out why the device could not connect with it\"",
		db_text(rows, i, "tenant"), db_text(rows, i, "device"), db_text(rows, i, "number"));
	call->tenant = db_text(rows, i, "tenant");
	err = AUDIT(call, "package.taken_back", .subject = db_text(rows, i, "device"),
		.before = db_text(rows, i, "number"), .after = db_text(rows, i, "good"),
		.package = (int)db_int(rows, i, "number"));
	if (err == OK)
		err = portal_changed(call, db_text(rows, i, "serial"));
	call->tenant = tenant;
	return err;
}

err_t take_back_packages(struct call *call)
{
	AUTO_ROWS rows = NULL;
	err_t err = store_vpn_take_back(call, &rows);

	for (size_t i = 0; err == OK && i < db_count(rows); i++)
		err = note_taken_back(call, rows, i);
	return err;
}
