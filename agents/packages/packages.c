/* packages: see packages.h. One step at a time: a trial, a report or a question to the portal. */
#include "agents/packages/packages.h"

#include "agents/document.h"
#include "agents/packages/depot.h"
#include "agents/portal.h"

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"

#include <sodium.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define RETRY_FIRST_MS 5000
#define RETRY_LIMIT_MS (900 * 1000)
#define RETRY_SHIFTS   8
#define FILE_CA	       "ca.crt" /* of a package: the roots of the tenant */

struct packages {
	struct packages_options options;
	struct journal *journal;
	struct loop_timer timer;
	struct fetch *fetch;
	struct trial *trial;
	struct manifest manifest; /* the one that is being followed */
	char *roots;		  /* and by which it was believed */
	unsigned failures;	  /* of questions, in a row */
	bool failed;		  /* a package, since this began */
	bool heard;		  /* the portal, last time */
	char problem[JOURNAL_REASON_SIZE];
};

static void ask(struct packages *packages);
static void act(struct packages *packages);

/* ---- waiting ---- */

static void sleep_ms(struct packages *packages, int64_t ms)
{
	loop_set_timer(packages->options.trial.loop, &packages->timer, clock_ms() + ms);
}

/* Full jitter below a doubling limit: a fleet does not come back at the same moment. */
static int64_t retry_ms(unsigned failures)
{
	int64_t limit =
		failures < RETRY_SHIFTS ? (int64_t)RETRY_FIRST_MS << failures : RETRY_LIMIT_MS;

	return RETRY_FIRST_MS / 2 +
	       randombytes_uniform((uint32_t)(limit < RETRY_LIMIT_MS ? limit : RETRY_LIMIT_MS));
}

/* There was trouble with what the portal said, or none was reached. */
static void fail(struct packages *packages, const char *event, const char *why)
{
	log_warn(event, "text=%s", log_value(why));
	packages->heard = false;
	snprintf(packages->problem, sizeof(packages->problem), "%s", why);
	if (packages->options.once) {
		packages->options.done(packages->options.context, why);
		return;
	}
	sleep_ms(packages, retry_ms(packages->failures++));
}

/* All is as the portal wants it, or was told to it. */
static void rest(struct packages *packages)
{
	const struct journal *journal = packages->journal;
	bool failed = packages->failed || journal->package != journal->good;

	packages->failures = 0;
	packages->heard = true;
	snprintf(packages->problem, sizeof(packages->problem), "%s", failed ? journal->reason : "");
	if (packages->options.once)
		packages->options.done(packages->options.context, failed ? journal->reason : NULL);
	else
		sleep_ms(packages, (int64_t)packages->manifest.poll_s * 1000);
}

static bool save(struct packages *packages)
{
	struct fault fault;

	if (journal_save(packages->journal, packages->options.trial.dir, &fault) == OK)
		return true;
	fail(packages, "journal", fault.detail);
	return false;
}

/* ---- reports ---- */

/* What does not fit any more the portal will refuse again: it knows of something newer. */
static bool is_obsolete(err_t err)
{
	return err == ERR_ALREADY_EXISTS || err == ERR_FAILED_PRECONDITION ||
	       err == ERR_INVALID_ARGUMENT;
}

static void on_reported(void *context, const struct fetch_reply *reply)
{
	struct packages *packages = context;
	struct fault fault;
	err_t err = portal_check(reply, &fault);

	packages->fetch = NULL;
	if (err != OK && !is_obsolete(err)) {
		fail(packages, "report", fault.detail);
		return;
	}
	if (err != OK)
		log_warn("report", "text=%s", log_value(fault.detail));
	packages->journal->outcome = JOURNAL_NOTHING;
	if (save(packages))
		act(packages);
}

static void report(struct packages *packages)
{
	const struct trial_options *options = &packages->options.trial;
	const struct journal *journal = packages->journal;
	bool failed = journal->outcome == JOURNAL_FAILED;
	json_t *object = json_pack("{s:I, s:s, s:s}", "version", (json_int_t)journal->newest,
		"outcome", failed ? "failed" : "applied", "reason", failed ? journal->reason : "");

	packages->fetch = portal_post(options->fetcher, options->device, "/v1/package-reports",
		PORTAL_ANEW, object, on_reported, packages);
}

/* ---- trials ---- */

/* From now on the roots are those of the package that works. */
static void take_roots(struct packages *packages)
{
	struct journal *journal = packages->journal;
	AUTO_FREE char *path =
		xasprintf("%s/" DEPOT_CURRENT "/" FILE_CA, packages->options.trial.dir);
	char *roots;

	if (journal->outcome != JOURNAL_APPLIED ||
		state_read_file(path, STATE_CA_MAX, &roots, NULL) != OK)
		return;
	free(journal->roots);
	journal->roots = roots;
}

static void on_tried(void *context)
{
	struct packages *packages = context;

	trial_destroy(packages->trial);
	packages->trial = NULL;
	packages->failed = packages->journal->outcome == JOURNAL_FAILED;
	take_roots(packages);
	if (!save(packages))
		return;
	depot_keep(packages->options.trial.dir, packages->journal->good);
	act(packages);
}

static void try(struct packages *packages)
{
	struct trial_options options = packages->options.trial;

	options.context = packages;
	options.ended = on_tried;
	packages->trial = trial_create(&options);
}

/* The manifest is taken: from now on nothing older is. */
static void take(struct packages *packages)
{
	struct journal *journal = packages->journal;
	const struct manifest *manifest = &packages->manifest;

	journal->newest = manifest->version;
	memcpy(journal->digest, manifest->digest, sizeof(journal->digest));
	journal->attempts = 0;
	journal->phase = manifest->package == journal->good ? JOURNAL_IDLE : JOURNAL_TRYING;
	journal->outcome = journal->phase == JOURNAL_IDLE ? JOURNAL_APPLIED : JOURNAL_NOTHING;
	journal->package = manifest->package;
	if (journal->roots == NULL) {
		journal->roots = packages->roots;
		packages->roots = NULL;
	}
	if (save(packages))
		act(packages);
}

/* ---- files ---- */

static const char *text_of(const json_t *list, const char *name)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(list, i, entry)
	{
		const char *given = json_string_value(json_object_get(entry, "name"));

		if (given != NULL && strcmp(given, name) == 0)
			return json_string_value(json_object_get(entry, "text"));
	}
	return NULL;
}

/* Each file of the manifest, as it is there; what else came is not taken. */
static err_t add_files(struct packages *packages, const json_t *document, struct fault *fault)
{
	const struct manifest *manifest = &packages->manifest;
	const json_t *list = json_object_get(document, "files");
	struct depot_file files[MANIFEST_FILES_MAX];

	for (unsigned i = 0; i < manifest->n_files; i++) {
		const char *text = text_of(list, manifest->files[i].name);

		if (text == NULL || !manifest_fits(&manifest->files[i], text, strlen(text)))
			return fault_set(fault, ERR_DATA_LOSS, "files",
				"%s of package %u is not what the manifest says",
				manifest->files[i].name, manifest->package);
		files[i] = (struct depot_file){ manifest->files[i].name, text, strlen(text) };
	}
	return depot_add(
		packages->options.trial.dir, manifest->package, files, manifest->n_files, fault);
}

static void on_files(void *context, const struct fetch_reply *reply)
{
	struct packages *packages = context;
	AUTO_DOCUMENT document = NULL;
	struct fault fault;
	err_t err;

	packages->fetch = NULL;
	if ((err = portal_check(reply, &fault)) == OK) {
		document = document_read(reply->body, reply->len);
		err = add_files(packages, document, &fault);
	}
	if (err != OK)
		fail(packages, "package_refused", fault.detail);
	else
		take(packages);
}

/* ---- the manifest ---- */

static void follow(struct packages *packages)
{
	const struct trial_options *options = &packages->options.trial;

	log_info("manifest", "version=%" PRId64 " package=%u", packages->manifest.version,
		packages->manifest.package);
	if (packages->manifest.package == packages->journal->good)
		take(packages);
	else
		packages->fetch = portal_get(options->fetcher, options->device, "/v1/package-files",
			false, on_files, packages);
}

static err_t read_manifest(
	struct packages *packages, const struct fetch_reply *reply, struct fault *fault)
{
	const struct device *device = packages->options.trial.device;
	const struct manifest_trust trust = { packages->journal->roots, device->tenant,
		device->id };
	err_t err = portal_check(reply, fault);

	if (err != OK)
		return err;
	free(packages->roots);
	packages->roots = NULL;
	err = manifest_read(
		&packages->manifest, reply->body, reply->len, &trust, &packages->roots, fault);
	return err == OK ? journal_check(packages->journal, &packages->manifest, fault) : err;
}

static void on_manifest(void *context, const struct fetch_reply *reply)
{
	struct packages *packages = context;
	struct fault fault;
	err_t err = OK;

	packages->fetch = NULL;
	err = read_manifest(packages, reply, &fault);
	if (err == OK)
		follow(packages);
	else if (err == ERR_ALREADY_EXISTS && reply->status == 200)
		rest(packages);
	else
		fail(packages, reply->status == 200 ? "manifest_refused" : "manifest",
			fault.detail);
}

static void ask(struct packages *packages)
{
	const struct trial_options *options = &packages->options.trial;

	packages->fetch = portal_get(
		options->fetcher, options->device, "/v1/manifest", false, on_manifest, packages);
}

/* ---- life ---- */

/* What is next: a trial that was begun, then a report, then a question. */
static void act(struct packages *packages)
{
	const struct journal *journal = packages->journal;

	if (journal->phase != JOURNAL_IDLE)
		try(packages);
	else if (journal->outcome != JOURNAL_NOTHING)
		report(packages);
	else
		ask(packages);
}

static void on_timer(void *context)
{
	act(context);
}

struct packages *packages_create(const struct packages_options *options)
{
	struct packages *packages = xcalloc(1, sizeof(*packages));

	packages->options = *options;
	packages->journal = options->trial.journal;
	packages->timer = (struct loop_timer){ .fire = on_timer, .context = packages };
	sleep_ms(packages, 0);
	return packages;
}

static const char *state_of(const struct packages *packages)
{
	if (packages->trial != NULL)
		return "applying";
	if (packages->heard)
		return packages->problem[0] == '\0' ? "connected" : "failed";
	return packages->failures > 0 ? "disconnected" : "starting";
}

char *packages_status(const struct packages *packages)
{
	const struct journal *journal = packages->journal;
	const char *problem = packages->problem[0] != '\0' ? packages->problem : NULL;
	AUTO_DOCUMENT status = json_pack("{s:s, s:s, s:s, s:I, s:I, s:s*}", "command", "packages",
		"state", state_of(packages), "device", packages->options.trial.device->id,
		"package", (json_int_t)journal->good, "wanted", (json_int_t)journal->package,
		"problem", problem);

	return json_dumps(status, JSON_COMPACT);
}

void packages_destroy(struct packages *packages)
{
	if (packages == NULL)
		return;
	loop_clear_timer(packages->options.trial.loop, &packages->timer);
	fetch_cancel(packages->fetch);
	trial_destroy(packages->trial);
	free(packages->roots);
	free(packages);
}
