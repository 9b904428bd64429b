/*
 * manifest: the rpcs that serve what agents ask: what they should have now, its files, and what
 * became of it. Who asks was checked by the edge; the state machine is that of the portal.
 */
#include "services/provision/manifest/manifests.h"

#include "lib/check.h"
#include "lib/clock.h"
#include "lib/json.h"
#include "lib/log.h"
#include "services/provision/audit/audit.h"
#include "services/provision/manifest/signer.h"
#include "services/provision/manifest/store_manifest.h"
#include "services/provision/portal_event.h"
#include "services/provision/portal_state.h"
#include "services/provision/publish.h"
#include "services/provision/state.h"
#include "services/provision/store_portal.h"

#include <sodium.h>

#include <string.h>

#define REASON_MAX 256

/* Who asks, and what it should have. */
struct asker {
	const char *device, *serial;
	struct portal_state state;
	int bad;
	int64_t manifest;
};

static err_t no_package(struct call *call)
{
	return call_refuse(call, ERR_NOT_FOUND, "", "there is no package for this device now");
}

/* Finds the asker, locked. Refused while it may have nothing. */
static err_t find(struct call *call, const char *device, struct asker *asker)
{
	AUTO_ROWS row = NULL;
	err_t err;

	if ((err = check_uuid(call, "device", device)) != OK ||
		(err = store_manifest_find(call, device, &row)) != OK ||
		(err = state_check_attach(call, db_text(row, 0, "state"))) != OK)
		return err;
	*asker = (struct asker){
		.device = device,
		.serial = arena_strdup(call->arena, db_text(row, 0, "serial")),
		.state = store_portal_state(row, true),
		.bad = (int)db_int(row, 0, "bad"),
		.manifest = db_int(row, 0, "manifest"),
	};
	return asker->state.current == 0 || db_bool(row, 0, "quarantined") ? no_package(call) : OK;
}

static const char *number(struct call *call, int n)
{
	return arena_printf(call->arena, "%d", n);
}

/* ---- what it should have ---- */

static void describe_files(
	struct call *call, const struct package *package, Provision__Manifest *manifest)
{
	struct package_member members[PACKAGE_FILES + 1];

	manifest->n_files = package_agent_files(package, members);
	manifest->files = arena_alloc(call->arena, manifest->n_files * sizeof(*manifest->files));
	for (size_t i = 0; i < manifest->n_files; i++) {
		Provision__ManifestFile *file = arena_alloc(call->arena, sizeof(*file));
		char sha256[PACKAGE_SHA256_LEN];

		provision__manifest_file__init(file);
		package_sha256(members[i].text, strlen(members[i].text), sha256);
		file->name = (char *)(uintptr_t)members[i].name;
		file->size = (uint32_t)strlen(members[i].text);
		file->sha256 = arena_strdup(call->arena, sha256);
		manifest->files[i] = file;
	}
}

static err_t describe(struct call *call, const struct asker *asker, char **text)
{
	Provision__Manifest manifest = PROVISION__MANIFEST__INIT;
	struct package package = { 0 };
	err_t err = publish_read(call, asker->device, asker->state.current, &package);

	if (err != OK)
		return err;
	manifest.version = asker->manifest;
	manifest.tenant = (char *)(uintptr_t)call->tenant;
	manifest.device = (char *)(uintptr_t)asker->device;
	manifest.package = (uint32_t)asker->state.current;
	describe_files(call, &package, &manifest);
	*text = json_write(call->arena, &manifest.base, NULL);
	return OK;
}

err_t get_manifest(struct call *call, const Provision__ManifestRequest *request,
	Provision__SignedManifest *reply)
{
	struct asker asker;
	bool is_new;
	err_t err;

	if ((err = find(call, request->device, &asker)) != OK ||
		(err = describe(call, &asker, &reply->manifest)) != OK ||
		(err = signer_sign(call, reply)) != OK)
		return err;
	is_new = portal_state_status(&asker.state) == PORTAL_UPDATE;
	reply->poll_s = (uint32_t)portal_state_interval(
		&asker.state, asker.serial, clock_unix_ms() / 1000, randombytes_random());
	return store_portal_polled(
		call, request->device, is_new ? asker.state.current : 0, call->source);
}

/* ---- its files ---- */

err_t get_package_files(struct call *call, const Provision__ManifestRequest *request,
	Provision__PackageFiles *reply)
{
	struct package_member members[PACKAGE_FILES + 1];
	struct package package = { 0 };
	struct asker asker;
	int current;
	err_t err;

	if ((err = find(call, request->device, &asker)) != OK ||
		(err = publish_read(call, request->device, asker.state.current, &package)) != OK)
		return err;
	current = asker.state.current;
	reply->package = (uint32_t)current;
	reply->n_files = package_agent_files(&package, members);
	reply->files = arena_alloc(call->arena, reply->n_files * sizeof(*reply->files));
	for (size_t i = 0; i < reply->n_files; i++) {
		reply->files[i] = arena_alloc(call->arena, sizeof(*reply->files[i]));
		provision__package_file__init(reply->files[i]);
		reply->files[i]->name = (char *)(uintptr_t)members[i].name;
		reply->files[i]->text = (char *)(uintptr_t)members[i].text;
	}
	if (asker.state.delivered == current ||
		(err = store_portal_delivered(call, request->device, current)) != OK)
		return err;
	return AUDIT(call, "package.delivered", .subject = asker.device, .device = asker.device,
		.package = current, .before = number(call, asker.state.delivered),
		.after = number(call, current));
}

/* ---- what became of it ---- */

static err_t note_applied(struct call *call, const struct asker *asker)
{
	const struct portal_state *state = &asker->state;
	err_t err;

	if (state->acknowledged == state->current)
		return OK;
	log_info("package_acknowledged", "tenant=%s device=%s number=%d source=%s", call->tenant,
		asker->device, state->current, log_value(call->source));
	if ((err = store_portal_delivered(call, asker->device, state->current)) != OK ||
		(err = store_portal_acknowledged(call, asker->device)) != OK ||
		(err = portal_changed(call, asker->serial)) != OK)
		return err;
	return AUDIT(call, "package.acknowledged", .subject = asker->device,
		.device = asker->device, .package = state->current,
		.before = number(call, state->acknowledged), .after = number(call, state->current));
}

static err_t note_failed(
	struct call *call, const Provision__PackageReport *request, const struct asker *asker)
{
	const struct portal_state *state = &asker->state;
	err_t err;

	if (state->acknowledged == state->current)
		return call_refuse(call, ERR_FAILED_PRECONDITION, "outcome",
			"the device has told that it uses the package");
	if (asker->bad == state->current)
		return OK;
	log_warn("package_failed",
		"tenant=%s device=%s number=%d reason=%s"
		" action=\"find out why, then publish another package\"",
		call->tenant, asker->device, state->current, log_value(request->reason));
	if ((err = store_manifest_failed(call, asker->device, request->reason)) != OK ||
		(err = portal_changed(call, asker->serial)) != OK)
		return err;
	return AUDIT(call, "package.failed", .subject = asker->device, .device = asker->device,
		.package = state->current, .before = number(call, state->current),
		.after = request->reason);
}

err_t report_package(
	struct call *call, const Provision__PackageReport *request, Provision__Empty *reply)
{
	static const char *const outcomes[] = { "applied", "failed", NULL };
	bool failed = strcmp(request->outcome, "failed") == 0;
	struct asker asker;
	err_t err;

	(void)reply;
	if ((err = check_word(call, "outcome", request->outcome, outcomes)) != OK ||
		(err = check_text(call, "reason", request->reason, failed ? 1 : 0,
			 failed ? REASON_MAX : 0)) != OK ||
		(err = find(call, request->device, &asker)) != OK)
		return err;
	if (request->version != asker.manifest)
		return call_refuse(call, ERR_FAILED_PRECONDITION, "version",
			"there is a newer manifest by now");
	return failed ? note_failed(call, request, &asker) : note_applied(call, &asker);
}
