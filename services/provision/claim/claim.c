/*
 * claim: an expected device becomes a device, of the tenant that expects it or of the one that
 * shows its code. The calls come with the tenant "*": all SQL names the tenant, which is that of
 * whoever the step is about.
 */
#include "services/provision/claim/claims.h"

#include "lib/check.h"
#include "lib/log.h"
#include "services/provision/audit/audit.h"
#include "services/provision/claim/code.h"
#include "services/provision/claim/store_claim.h"
#include "services/provision/portal_register.h"
#include "services/provision/portal_event.h"
#include "services/provision/portal_serial.h"
#include "services/provision/provision.h"
#include "services/provision/state.h"
#include "services/provision/store_portal.h"

#include <sodium.h>

#include <string.h>

#define CODE_MAX      64
#define BASE_NAME_MAX 56 /* leaves room for a suffix */

/* What is claimed, and by whom. */
struct offer {
	const char *from, *id; /* the tenant that expects it, and the row there */
	const char *handed;    /* the device that is handed over, "" for none */
	const char *to;	       /* the tenant that gets it */
	struct portal_registration device;
};

static err_t refuse(struct call *call)
{
	return call_refuse(call, ERR_PERMISSION_DENIED, "code",
		"expected a serial number and the claim code that belongs to it");
}

static struct offer read_offer(struct call *call, const struct db_rows *row, const char *serial)
{
	return (struct offer){
		.from = arena_strdup(call->arena, db_text(row, 0, "tenant")),
		.id = arena_strdup(call->arena, db_text(row, 0, "id")),
		.handed = arena_strdup(call->arena, db_text(row, 0, "device")),
		.to = arena_strdup(call->arena, db_text(row, 0, "tenant")),
		.device = {
			.name = arena_strdup(call->arena, db_text(row, 0, "name")),
			.serial = serial,
			.network = arena_strdup(call->arena, db_text(row, 0, "network")),
			.legacy = db_bool(row, 0, "legacy"),
			.state = db_bool(row, 0, "approve") ? STATE_APPROVED : STATE_PENDING,
		},
	};
}

/* ---- the name ---- */

/* A serial number as a label: what is no part of one becomes a dash. */
static const char *name_of(struct call *call, const char *serial)
{
	char *name = arena_printf(call->arena, "d-%.*s", BASE_NAME_MAX - 2, serial);
	size_t len = strlen(name);

	for (char *at = name; *at != '\0'; at++) {
		if (*at >= 'A' && *at <= 'Z')
			*at = (char)(*at | 0x20);
		if (*at == '.' || *at == '_')
			*at = '-';
	}
	while (len > 0 && name[len - 1] == '-')
		name[--len] = '\0';
	return name;
}

static err_t choose_name(struct call *call, struct offer *offer)
{
	const char *name = offer->device.name;
	bool taken;
	err_t err;

	if (*name == '\0')
		name = name_of(call, offer->device.serial);
	if ((err = store_name_taken(call, name, &taken)) != OK)
		return err;
	if (taken)
		name = arena_printf(call->arena, "%.*s-%06x", BASE_NAME_MAX, name,
			randombytes_uniform(1U << 24));
	offer->device.name = name;
	return OK;
}

/* ---- the steps ---- */

/* The device ends where it was, so that its serial number is free: its secret, certificates and
 * memberships too. */
static err_t hand_over(struct call *call, const struct offer *offer)
{
	Provision__Ref ref = PROVISION__REF__INIT;
	Provision__Device retired = PROVISION__DEVICE__INIT;
	err_t err;

	if (*offer->handed == '\0')
		return OK;
	ref.id = (char *)(uintptr_t)offer->handed;
	if ((err = retire_device(call, &ref, &retired)) != OK ||
		(err = store_portal_device_forget(call, offer->handed)) != OK ||
		(err = portal_changed(call, offer->device.serial)) != OK)
		return err;
	return AUDIT(call, "device.handed_over", .subject = offer->handed,
		.before = offer->device.serial, .after = offer->to);
}

static err_t take(
	struct call *call, struct offer *offer, const char *source, Provision__PortalDevice *device)
{
	err_t err;

	call->tenant = offer->from;
	if ((err = hand_over(call, offer)) != OK)
		return err;
	call->tenant = offer->to;
	if ((err = choose_name(call, offer)) != OK ||
		(err = portal_register(call, &offer->device, device)) != OK ||
		(err = AUDIT(call, "device.claimed", .subject = device->id, .source = source,
			 .before = offer->from, .after = offer->device.serial)) != OK)
		return err;
	call->tenant = offer->from;
	err = store_expected_claimed(call, offer->id, offer->to, device->id);
	call->tenant = offer->to;
	log_info("device_claimed", "tenant=%s device=%s from=%s", offer->to, device->id,
		offer->from);
	return err;
}

/* What an operator says goes before what was expected; another tenant's network is none here. */
static void choose(const Provision__ClaimDeviceRequest *request, struct offer *offer)
{
	if (*request->tenant == '\0')
		return;
	if (strcmp(request->tenant, offer->from) != 0) {
		offer->device.network = "";
		offer->device.state = STATE_APPROVED;
	}
	offer->to = request->tenant;
	if (*request->name != '\0')
		offer->device.name = request->name;
	if (*request->network != '\0')
		offer->device.network = request->network;
}

static err_t check_request(struct call *call, const Provision__ClaimDeviceRequest *request)
{
	err_t err;

	if (*request->tenant != '\0' && (err = check_uuid(call, "tenant", request->tenant)) != OK)
		return err;
	if (*request->name != '\0' && (err = check_label(call, "name", request->name)) != OK)
		return err;
	return *request->network != '\0' ? check_uuid(call, "network", request->network) : OK;
}

static err_t find_offer(
	struct call *call, const Provision__ClaimDeviceRequest *request, struct offer *offer)
{
	AUTO_ROWS rows = NULL;
	const char *code = NULL;
	err_t err;

	if (portal_serial_valid(request->serial) && strlen(request->code) <= CODE_MAX)
		code = claim_code_digest(call->arena, request->serial, request->code);
	if (code == NULL)
		return refuse(call);
	if ((err = store_expected_claim(call, request->serial, code, &rows)) != OK)
		return err;
	if (db_count(rows) != 1)
		return refuse(call);
	*offer = read_offer(call, rows, request->serial);
	/* Only another tenant can take over what is there. */
	if (*offer->handed != '\0' &&
		(*request->tenant == '\0' || strcmp(request->tenant, offer->from) == 0))
		return refuse(call);
	choose(request, offer);
	return OK;
}

static err_t claim(
	struct call *call, const Provision__ClaimDeviceRequest *request, Provision__Claim *reply)
{
	Provision__PortalDevice device = PROVISION__PORTAL_DEVICE__INIT;
	struct offer offer;
	err_t err;

	if ((err = check_request(call, request)) != OK ||
		(err = find_offer(call, request, &offer)) != OK ||
		(err = take(call, &offer, NULL, &device)) != OK)
		return err;
	reply->tenant = (char *)(uintptr_t)offer.to;
	reply->device = device.id;
	reply->name = device.name;
	reply->serial = device.serial;
	reply->secret = device.secret;
	reply->state = (char *)(uintptr_t)offer.device.state;
	return OK;
}

err_t claim_device(
	struct call *call, const Provision__ClaimDeviceRequest *request, Provision__Claim *reply)
{
	const char *tenant = call->tenant;
	err_t err = claim(call, request, reply);

	call->tenant = tenant; /* the call may be run again */
	return err;
}

err_t claim_first_contact(
	struct call *call, const struct db_rows *row, const char *serial, const char *source)
{
	Provision__PortalDevice device = PROVISION__PORTAL_DEVICE__INIT;
	const char *tenant = call->tenant;
	struct offer offer = read_offer(call, row, serial);
	err_t err = take(call, &offer, source, &device);

	call->tenant = tenant;
	return err;
}
