/*
 * poll: the rpcs that serve what portal devices ask. They come with the tenant "*", since the
 * serial names the tenant: all SQL names it from then on. Whatever is wrong with who asks looks the
 * same.
 */
#include "services/provision/portals.h"

#include "lib/check.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "services/provision/audit/audit.h"
#include "services/provision/auth.h"
#include "services/provision/claim/claims.h"
#include "services/provision/claim/store_claim.h"
#include "services/provision/portal_event.h"
#include "services/provision/portal_serial.h"
#include "services/provision/portal_state.h"
#include "services/provision/publish.h"
#include "services/provision/store_portal.h"
#include "services/provision/watch/refusals.h"
#include "services/provision/watch/scan.h"

#include <sodium.h>

#include <string.h>

#define SECRET_PREFIX "lyd_" /* of the secrets that auth issues to devices */
#define NOBODY	      "00000000-0000-0000-0000-000000000000"
#define HOST_MAX      253
#define PASSWORD_MAX  256
#define SOURCE_MAX    64
#define SEEN_MAX      1000

/* Who asks, once it is believed. */
struct asker {
	const char *device, *serial;
	struct portal_state state;
	int promised; /* the package that it was told of a moment ago, else the current one */
	bool strict, one_shot, legacy;
	int auth_type;
	bool bare_xml, status_after_ack, learn;
};

static err_t refuse(struct call *call)
{
	return call_refuse(call, ERR_UNAUTHENTICATED, "Authorization",
		"expected the credentials of a device of this portal");
}

/* ---- who asks ---- */

static bool is_md5_of(const char *text, const char *password)
{
	char digest[PACKAGE_MD5_LEN];
	char given[PACKAGE_MD5_LEN] = "";

	package_md5(text, digest);
	if (strlen(password) != PACKAGE_MD5_LEN - 1)
		return false;
	for (size_t i = 0; i < PACKAGE_MD5_LEN - 1; i++)
		given[i] = password[i] >= 'A' && password[i] <= 'F' ? (char)(password[i] | 0x20)
								    : password[i];
	return sodium_memcmp(given, digest, PACKAGE_MD5_LEN - 1) == 0;
}

/* A device that has a secret of its own is never believed by its serial. Auth is asked in any case
 * when a secret is shown, so that an unknown serial takes as long as a wrong secret; it also knows
 * whether the tenant is suspended. */
static err_t check_password(struct call *call, const Provision__PortalRequest *request,
	const struct db_rows *row, bool found, enum refusal *cause)
{
	const char *device = found ? db_text(row, 0, "device") : NOBODY;
	const char *line = arena_printf(call->arena, "%s\n", request->serial);
	bool legacy;

	if (strncmp(request->password, SECRET_PREFIX, strlen(SECRET_PREFIX)) == 0) {
		err_t err = auth_check_secret(call, device, request->password);

		*cause = REFUSAL_PASSWORD;
		return err == OK && !found ? refuse(call) : err;
	}
	legacy = is_md5_of(request->serial, request->password);
	*cause = legacy				      ? REFUSAL_LEGACY
		 : is_md5_of(line, request->password) ? REFUSAL_NEWLINE
						      : REFUSAL_PASSWORD;
	if (!legacy || !found || !db_bool(row, 0, "legacy") || !db_bool(row, 0, "legacy_open"))
		return refuse(call);
	*cause = REFUSAL_SUSPENDED;
	return auth_check_tenant(call, db_text(row, 0, "tenant"));
}

static void read_asker(struct call *call, const struct db_rows *row, struct asker *asker)
{
	*asker = (struct asker){
		.device = arena_strdup(call->arena, db_text(row, 0, "device")),
		.serial = arena_strdup(call->arena, db_text(row, 0, "serial")),
		.state = store_portal_state(row, db_bool(row, 0, "approved")),
		.promised = (int)db_int(row, 0, "promised"),
		.strict = db_bool(row, 0, "strict"),
		.legacy = db_bool(row, 0, "legacy"),
		.auth_type = (int)db_int(row, 0, "auth_type"),
		.bare_xml = !db_bool(row, 0, "xml_prolog"),
		.status_after_ack = db_bool(row, 0, "status_after_ack"),
		.learn = db_bool(row, 0, "learn"),
		/* Whoever guesses a serial later sees digests, not secrets. */
		.one_shot = db_bool(row, 0, "one_shot") || db_bool(row, 0, "legacy"),
	};
}

static bool may_be(const Provision__PortalRequest *request)
{
	return portal_serial_valid(request->serial) && strlen(request->host) <= HOST_MAX &&
	       strlen(request->password) <= PASSWORD_MAX;
}

/* A legacy device that is expected comes for the first time: then it is a device from now on. */
static err_t meet(struct call *call, const Provision__PortalRequest *request)
{
	AUTO_ROWS rows = NULL;
	err_t err = store_expected_legacy(call, request->serial, request->host, &rows);

	if (err != OK || db_count(rows) != 1 || !db_bool(rows, 0, "legacy_open"))
		return err;
	if ((err = auth_check_tenant(call, db_text(rows, 0, "tenant"))) != OK)
		return err == ERR_UNAUTHENTICATED ? refuse(call) : err;
	return claim_first_contact(call, rows, request->serial, request->source);
}

/* One serial number that asks from two networks by turns is that of two devices. */
static err_t note_move(
	struct call *call, const Provision__PortalRequest *request, struct asker *asker)
{
	bool quarantined;
	err_t err = store_portal_moved(call, asker->device, request->source, &quarantined);

	if (err != OK || !quarantined)
		return err;
	asker->state.approved = false;
	if ((err = portal_changed(call, asker->serial)) != OK)
		return err;
	log_warn("device_quarantined",
		"tenant=%s device=%s source=%s"
		" action=\"find out which of two devices is the right one, then release it\"",
		call->tenant, asker->device, log_value(request->source));
	return AUDIT(call, "device.quarantined", .subject = asker->device, .device = asker->device,
		.source = request->source, .after = asker->serial);
}

/* Whoever asks is told the same, whatever it is; we are not. */
static err_t note_refused(struct call *call, const Provision__PortalRequest *request,
	const struct db_rows *rows, bool found, enum refusal cause)
{
	if (!found) {
		cause = REFUSAL_UNKNOWN;
		scan_note(request->source, request->serial, clock_ms());
	} else if (db_bool(rows, 0, "retired")) {
		cause = REFUSAL_RETIRED;
	} else if (cause == REFUSAL_NEWLINE) {
		LOG_THROTTLED(LOG_LEVEL_WARN, "device_newline",
			"tenant=%s device=%s source=%s"
			" error=\"its password is MD5 of its serial number and a line feed\""
			" action=\"have it leave out the line feed, or log in with its own "
			"secret\"",
			db_text(rows, 0, "tenant"), db_text(rows, 0, "device"),
			log_value(request->source));
	}
	refusals_count(cause);
	return refuse(call);
}

/* Finds and believes the asker; from then on the call's tenant is its own. A serial that two
 * tenants have is nobody's unless the host says which one is meant. */
static err_t identify(
	struct call *call, const Provision__PortalRequest *request, bool lock, struct asker *asker)
{
	AUTO_ROWS rows = NULL;
	enum refusal cause;
	bool found;
	err_t err;

	if (!may_be(request)) {
		refusals_count(REFUSAL_MALFORMED);
		return refuse(call);
	}
	if ((err = store_portal_find(call, request, lock, &rows)) != OK)
		return err;
	if (db_count(rows) == 0 && is_md5_of(request->serial, request->password)) {
		if ((err = meet(call, request)) != OK)
			return err;
		if ((err = store_portal_find(call, request, lock, &rows)) != OK)
			return err;
	}
	found = db_count(rows) == 1 || (db_count(rows) == 2 && db_bool(rows, 0, "named"));
	err = check_password(call, request, rows, found && !db_bool(rows, 0, "retired"), &cause);
	if (err != OK)
		return err == ERR_UNAUTHENTICATED ? note_refused(call, request, rows, found, cause)
						  : err;
	call->tenant = arena_strdup(call->arena, db_text(rows, 0, "tenant"));
	read_asker(call, rows, asker);
	return db_bool(rows, 0, "moved") ? note_move(call, request, asker) : OK;
}

/* ---- what it is told ---- */

static err_t add_digests(
	struct call *call, const char *device, int number, Provision__PortalStatus *reply)
{
	AUTO_ROWS row = NULL;
	err_t err = store_package_get(call, device, number, &row);

	if (err != OK)
		return err;
	db_message(row, 0, call->arena, &reply->base);
	reply->has_package = true;
	return OK;
}

static err_t tell(struct call *call, const struct asker *asker, Provision__PortalStatus *reply)
{
	const struct portal_state *state = &asker->state;

	reply->status = (uint32_t)portal_state_status(state);
	reply->reconnection_time = (uint32_t)portal_state_interval(
		state, asker->serial, clock_unix_ms() / 1000, randombytes_random());
	reply->auth_type = (uint32_t)asker->auth_type;
	reply->bare_xml = asker->bare_xml;
	reply->learn = asker->learn;
	reply->tenant = (char *)(uintptr_t)call->tenant;
	reply->device = (char *)(uintptr_t)asker->device;
	reply->interval_s = (uint32_t)portal_state_usual_interval(state);
	reply->settled = reply->status != PORTAL_UPDATE && !asker->legacy;
	if (!state->approved || state->current == 0)
		return OK;
	return add_digests(call, asker->device, state->current, reply);
}

static err_t poll(
	struct call *call, const Provision__PortalRequest *request, Provision__PortalStatus *reply)
{
	struct asker asker;
	err_t err = identify(call, request, false, &asker);

	if (err != OK || (err = tell(call, &asker, reply)) != OK)
		return err;
	return store_portal_polled(call, asker.device,
		reply->status == PORTAL_UPDATE ? asker.state.current : 0, request->source);
}

err_t poll_portal(
	struct call *call, const Provision__PortalRequest *request, Provision__PortalStatus *reply)
{
	const char *tenant = call->tenant;
	err_t err = poll(call, request, reply);

	call->tenant = tenant; /* the call may be run again */
	return err;
}

/* What edges have answered by themselves. */
err_t note_polls(
	struct call *call, const Provision__NotePollsRequest *request, Provision__Empty *reply)
{
	(void)reply;
	if (request->n_items > SEEN_MAX)
		return call_refuse(
			call, ERR_INVALID_ARGUMENT, "items", "expected at most %d", SEEN_MAX);
	for (size_t i = 0; i < request->n_items; i++)
		if (!check_is_uuid(request->items[i]->tenant) ||
			!check_is_uuid(request->items[i]->device) ||
			strlen(request->items[i]->source) > SOURCE_MAX)
			return call_refuse(call, ERR_INVALID_ARGUMENT, "items",
				"expected ids of tenants and devices, and addresses");
	return store_portal_seen(call, request);
}

/* ---- the package ---- */

static err_t no_package(struct call *call)
{
	return call_refuse(call, ERR_NOT_FOUND, "", "there is no package for this device now");
}

static err_t read_package(
	struct call *call, const char *device, int number, Provision__PackageArchive *reply)
{
	struct package package = { 0 };
	err_t err = publish_read(call, device, number, &package);

	if (err != OK)
		return err;
	reply->tar.data = (uint8_t *)(uintptr_t)package.tar;
	reply->tar.len = package.tar_len;
	reply->sha256 = arena_strdup(call->arena, package.sha256);
	return OK;
}

static const char *package_name(struct call *call, int number)
{
	return arena_printf(call->arena, "%d", number);
}

static err_t fetch(struct call *call, const Provision__FetchPackageRequest *request,
	Provision__PackageArchive *reply)
{
	struct asker asker;
	err_t err = identify(call, request->who, false, &asker);
	bool in_use;

	if (err != OK)
		return err;
	in_use = asker.state.acknowledged == asker.state.current;
	reply->status_instead = asker.state.approved && asker.state.current != 0 && in_use &&
				asker.status_after_ack;
	if (reply->status_instead)
		return OK;
	if (!asker.state.approved || asker.state.current == 0 || (in_use && asker.one_shot))
		return no_package(call);
	reply->tenant = (char *)(uintptr_t)call->tenant;
	reply->device = (char *)(uintptr_t)asker.device;
	reply->package = (uint32_t)asker.promised;
	return read_package(call, asker.device, asker.promised, reply);
}

err_t fetch_package(struct call *call, const Provision__FetchPackageRequest *request,
	Provision__PackageArchive *reply)
{
	const char *tenant = call->tenant;
	err_t err = request->who != NULL ? fetch(call, request, reply) : refuse(call);

	call->tenant = tenant;
	return err;
}

/* ---- the acknowledgement ---- */

static err_t note_acknowledged(
	struct call *call, const Provision__PortalRequest *request, struct asker *asker)
{
	int before = asker->state.acknowledged, number = asker->state.delivered;
	err_t err;

	asker->state.acknowledged = number;
	asker->state.unanswered = 0;
	log_info("package_acknowledged", "tenant=%s device=%s number=%d source=%s", call->tenant,
		asker->device, number, log_value(request->source));
	if ((err = store_portal_acknowledged(call, asker->device)) != OK ||
		(err = portal_changed(call, asker->serial)) != OK)
		return err;
	return AUDIT(call, "package.acknowledged", .subject = asker->device,
		.device = asker->device, .source = request->source, .package = number,
		.before = package_name(call, before), .after = package_name(call, number));
}

/* It names no package, so it means the one that was fetched last. */
static err_t acknowledge(
	struct call *call, const Provision__PortalRequest *request, Provision__PortalStatus *reply)
{
	struct asker asker;
	err_t err = identify(call, request, true, &asker);

	if (err != OK)
		return err;
	if (!asker.state.approved || asker.state.current == 0)
		return call_refuse(
			call, ERR_FAILED_PRECONDITION, "status", "the device is disabled");
	if (asker.state.delivered == 0 && asker.strict)
		return call_refuse(call, ERR_FAILED_PRECONDITION, "status",
			"the device has fetched no package yet");
	if (asker.state.acknowledged != asker.state.delivered &&
		(err = note_acknowledged(call, request, &asker)) != OK)
		return err;
	return tell(call, &asker, reply);
}

err_t acknowledge_package(
	struct call *call, const Provision__PortalRequest *request, Provision__PortalStatus *reply)
{
	const char *tenant = call->tenant;
	err_t err = acknowledge(call, request, reply);

	call->tenant = tenant;
	return err;
}
