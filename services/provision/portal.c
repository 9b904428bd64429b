/* portal: the rpcs of what a tenant has decided for its portal devices. */
#include "services/provision/portals.h"

#include "lib/check.h"
#include "lib/clock.h"
#include "services/provision/audit/audit.h"
#include "services/provision/manifest/settings.h"
#include "services/provision/package.h"
#include "services/provision/portal_event.h"
#include "services/provision/portal_state.h"
#include "services/provision/publish.h"
#include "services/provision/request.h"
#include "services/provision/rollout/store_rollout.h"
#include "services/provision/static_key.h"
#include "services/provision/store_portal.h"
#include "services/provision/template.h"
#include "services/provision/vault.h"

#include <inttypes.h>
#include <string.h>

#define HOST_MAX      253
#define AUTH_TYPE_MAX 9
#define LEGACY_S      ((int64_t)366 * 24 * 60 * 60)

err_t get_portal(struct call *call, const Provision__Empty *request, Provision__Portal *reply)
{
	AUTO_ROWS rows = NULL;
	err_t err = store_portal_lock(call, &rows);

	(void)request;
	if (err == OK)
		db_message(rows, 0, call->arena, &reply->base);
	return err;
}

/* ---- checks ---- */

/* A password that anybody can compute is taken for a limited time only. */
static err_t check_legacy(struct call *call, const char *until)
{
	int64_t now_s = clock_unix_ms() / 1000, until_s;

	if (*until == '\0' ||
		(clock_read(until, &until_s) && until_s >= 0 && until_s <= now_s + LEGACY_S))
		return OK;
	return call_refuse(call, ERR_INVALID_ARGUMENT, "legacy_until",
		"expected a time like 2026-03-01T12:00:00Z, at most a year from now, or nothing");
}

static err_t check_interval(struct call *call, const char *field, uint32_t interval_s, uint32_t max)
{
	if (interval_s >= PORTAL_INTERVAL_MIN && interval_s <= max)
		return OK;
	return call_refuse(call, ERR_INVALID_ARGUMENT, field, "expected %d to %u seconds",
		PORTAL_INTERVAL_MIN, max);
}

static err_t check_numbers(struct call *call, const Provision__Portal *portal)
{
	err_t err;

	if ((err = check_interval(call, "interval_s", portal->interval_s, PORTAL_INTERVAL_MAX)) !=
			OK ||
		(err = check_interval(call, "update_interval_s", portal->update_interval_s,
			 PORTAL_UPDATE_MAX)) != OK ||
		(err = check_interval(call, "disabled_interval_s", portal->disabled_interval_s,
			 PORTAL_INTERVAL_MAX)) != OK)
		return err;
	if (portal->trust_percent > 100)
		return call_refuse(
			call, ERR_INVALID_ARGUMENT, "trust_percent", "expected 0 to 100");
	if (portal->auth_type > AUTH_TYPE_MAX)
		return call_refuse(
			call, ERR_INVALID_ARGUMENT, "auth_type", "expected 0 to %d", AUTH_TYPE_MAX);
	if (portal->disable_code > 1)
		return call_refuse(call, ERR_INVALID_ARGUMENT, "disable_code", "expected 0 or 1");
	return OK;
}

static err_t check_update(struct call *call, const Provision__UpdatePortalRequest *request,
	const Provision__Portal *portal)
{
	err_t err;

	if ((*portal->host != '\0' &&
		    (err = check_host_name(call, "host", portal->host, HOST_MAX)) != OK) ||
		(err = package_check_names(call, portal->file_names)) != OK ||
		(err = template_check(call, portal->client_conf, portal->file_names)) != OK ||
		(err = template_check_dir(call, portal->dir)) != OK ||
		(err = settings_check(call, portal->agent_settings)) != OK ||
		(err = check_numbers(call, portal)) != OK)
		return err;
	if (request->set_legacy_until_case != 0 &&
		(err = check_legacy(call, portal->legacy_until)) != OK)
		return err;
	return request->set_ta_key_case != 0 ? static_key_check(call, "ta_key", request->ta_key)
					     : OK;
}

/* What is rolled out is one thing, from its first device to its last. */
static err_t check_rollout(struct call *call, const Provision__UpdatePortalRequest *request)
{
	const char *field = request->set_client_conf_case != 0	    ? "client_conf"
			    : request->set_dir_case != 0	    ? "dir"
			    : request->set_file_names_case != 0	    ? "file_names"
			    : request->set_vpn_copies_case != 0	    ? "vpn_copies"
			    : request->set_ta_key_case != 0	    ? "ta_key"
			    : request->set_agent_settings_case != 0 ? "agent_settings"
								    : NULL;
	bool under_way;
	err_t err;

	if (field == NULL)
		return OK;
	if ((err = store_rollout_under_way(call, &under_way)) != OK || !under_way)
		return err;
	return call_refuse(call, ERR_FAILED_PRECONDITION, field,
		"a rollout is under way: cancel it first, or let it come to its end");
}

/* ---- the change ---- */

/* What is not public of the devices' protocol: how theirs speak it. */
static void apply_dialect(const Provision__UpdatePortalRequest *request, Provision__Portal *portal)
{
	if (request->set_disable_code_case != 0)
		portal->disable_code = request->disable_code;
	if (request->set_auth_type_case != 0)
		portal->auth_type = request->auth_type;
	if (request->set_xml_prolog_case != 0)
		portal->xml_prolog = request->xml_prolog;
	if (request->set_status_after_ack_case != 0)
		portal->status_after_ack = request->status_after_ack;
	if (request->set_learn_case != 0)
		portal->learn = request->learn;
	if (request->set_update_interval_s_case != 0)
		portal->update_interval_s = request->update_interval_s;
	if (request->set_disabled_interval_s_case != 0)
		portal->disabled_interval_s = request->disabled_interval_s;
	if (request->set_dir_case != 0)
		portal->dir = request->dir;
	if (request->set_file_names_case != 0)
		portal->file_names = request->file_names;
	if (request->set_vpn_copies_case != 0)
		portal->vpn_copies = request->vpn_copies;
}

static void apply(const Provision__UpdatePortalRequest *request, Provision__Portal *portal)
{
	apply_dialect(request, portal);
	if (request->set_host_case != 0)
		portal->host = request->host;
	if (request->set_client_conf_case != 0)
		portal->client_conf = request->client_conf;
	if (request->set_interval_s_case != 0)
		portal->interval_s = request->interval_s;
	if (request->set_strict_case != 0)
		portal->strict = request->strict;
	if (request->set_one_shot_case != 0)
		portal->one_shot = request->one_shot;
	if (request->set_legacy_until_case != 0)
		portal->legacy_until = request->legacy_until;
	if (request->set_clone_guard_case != 0)
		portal->clone_guard = request->clone_guard;
	if (request->set_trust_percent_case != 0)
		portal->trust_percent = request->trust_percent;
	if (request->set_agent_settings_case != 0)
		portal->agent_settings = request->agent_settings;
}

static const char *version_name(struct call *call, int64_t version)
{
	return arena_printf(call->arena, "version %" PRId64, version);
}

err_t update_portal(
	struct call *call, const Provision__UpdatePortalRequest *request, Provision__Portal *reply)
{
	Provision__Portal portal = PROVISION__PORTAL__INIT;
	AUTO_ROWS rows = NULL;
	const char *ta_key;
	err_t err;

	if ((err = store_portal_lock(call, &rows)) != OK)
		return err;
	db_message(rows, 0, call->arena, &portal.base);
	if ((err = request_check_version(call, request->version, portal.version)) != OK ||
		(err = check_rollout(call, request)) != OK)
		return err;
	apply(request, &portal);
	if ((err = check_update(call, request, &portal)) != OK)
		return err;
	ta_key = db_text(rows, 0, "ta_key");
	if (request->set_ta_key_case != 0)
		ta_key = *request->ta_key == '\0'
				 ? ""
				 : vault_seal(
					   call->arena, publish_ta_key_use(call), request->ta_key);
	if ((err = store_portal_update(call, &portal, ta_key, reply)) != OK ||
		(err = portal_changed(call, "")) != OK)
		return err;
	return AUDIT(call, "portal.changed", .before = version_name(call, portal.version),
		.after = version_name(call, reply->version));
}
