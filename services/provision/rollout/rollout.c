/* rollout: the rpcs by which operators begin, watch, hold and end rollouts. */
#include "services/provision/rollout/rollouts.h"

#include "lib/check.h"
#include "services/provision/audit/audit.h"
#include "services/provision/portal_event.h"
#include "services/provision/publish.h"
#include "services/provision/request.h"
#include "services/provision/rollout/store_rollout.h"
#include "services/provision/store_portal.h"

#include <string.h>

#define FIRST_PERCENT  1
#define SECOND_PERCENT 10
#define MAX_OPEN       500
#define MAX_OPEN_MAX   5000
#define FAIL_PERCENT   5
#define FAIL_COUNT_MAX 1000000

static unsigned given(unsigned value, unsigned otherwise)
{
	return value != 0 ? value : otherwise;
}

static err_t check_range(
	struct call *call, const char *field, unsigned value, unsigned min, unsigned max)
{
	if (value >= min && value <= max)
		return OK;
	return call_refuse(
		call, ERR_INVALID_ARGUMENT, field, "expected a number from %u to %u", min, max);
}

static err_t check_limits(struct call *call, const Provision__Rollout *rollout)
{
	err_t err;

	if ((err = check_range(call, "max_open", rollout->max_open, 1, MAX_OPEN_MAX)) != OK ||
		(err = check_range(call, "fail_percent", rollout->fail_percent, 0, 100)) != OK)
		return err;
	return check_range(call, "fail_count", rollout->fail_count, 0, FAIL_COUNT_MAX);
}

/* The portal's row is locked, so that its template can't change while the rollout begins. */
static err_t check_template(struct call *call)
{
	AUTO_ROWS portal = NULL;
	err_t err = store_portal_lock(call, &portal);

	if (err == OK && !publish_possible(portal))
		return publish_refuse(call);
	return err;
}

err_t create_rollout(struct call *call, const Provision__CreateRolloutRequest *request,
	Provision__Rollout *reply)
{
	Provision__Rollout wanted = PROVISION__ROLLOUT__INIT;
	err_t err;

	wanted.first_percent = given(request->first_percent, FIRST_PERCENT);
	wanted.second_percent = given(request->second_percent,
		wanted.first_percent > SECOND_PERCENT ? wanted.first_percent : SECOND_PERCENT);
	wanted.max_open = given(request->max_open, MAX_OPEN);
	wanted.fail_percent =
		request->set_fail_percent_case != 0 ? request->fail_percent : FAIL_PERCENT;
	wanted.fail_count = request->fail_count;
	if ((err = check_range(call, "first_percent", wanted.first_percent, 1, 100)) != OK ||
		(err = check_range(call, "second_percent", wanted.second_percent,
			 wanted.first_percent, 100)) != OK ||
		(err = check_limits(call, &wanted)) != OK || (err = check_template(call)) != OK)
		return err;
	if ((err = store_rollout_create(call, &wanted, reply)) != OK)
		return err;
	return AUDIT(call, "rollout.running", .subject = reply->id);
}

err_t get_rollout(struct call *call, const Provision__Ref *request, Provision__Rollout *reply)
{
	err_t err = check_uuid(call, "id", request->id);

	return err == OK ? store_rollout_get(call, request->id, reply) : err;
}

err_t list_rollouts(
	struct call *call, const Provision__ListRequest *request, Provision__RolloutList *reply)
{
	err_t err = request_check_list(call, request);

	return err == OK ? store_rollout_list(call, request, reply) : err;
}

/* ---- changes ---- */

err_t rollout_note(struct call *call, const Provision__Rollout *rollout, const char *before)
{
	return audit_write(call, &(const struct audit_entry){ .action = arena_printf(call->arena,
								      "rollout.%s", rollout->state),
					 .subject = rollout->id,
					 .before = before,
					 .after = rollout->reason });
}

static bool is_over(const Provision__Rollout *rollout)
{
	return strcmp(rollout->state, "done") == 0 || strcmp(rollout->state, "cancelled") == 0;
}

static err_t apply(struct call *call, const Provision__UpdateRolloutRequest *request,
	Provision__Rollout *rollout)
{
	static const char *const states[] = { "running", "paused", "cancelled", NULL };
	err_t err;

	if (request->set_max_open_case != 0)
		rollout->max_open = request->max_open;
	if (request->set_fail_percent_case != 0)
		rollout->fail_percent = request->fail_percent;
	if (request->set_fail_count_case != 0)
		rollout->fail_count = request->fail_count;
	if (request->set_state_case == 0)
		return check_limits(call, rollout);
	if ((err = check_word(call, "state", request->state, states)) != OK)
		return err;
	rollout->state = request->state;
	rollout->reason = "";
	return check_limits(call, rollout);
}

err_t update_rollout(struct call *call, const Provision__UpdateRolloutRequest *request,
	Provision__Rollout *reply)
{
	const char *before;
	err_t err;

	if ((err = check_uuid(call, "id", request->id)) != OK ||
		(err = store_rollout_lock(call, request->id, reply)) != OK ||
		(err = request_check_version(call, request->version, reply->version)) != OK)
		return err;
	if (is_over(reply))
		return call_refuse(call, ERR_FAILED_PRECONDITION, "state",
			"the rollout is %s: begin another one", reply->state);
	before = reply->state;
	if ((err = apply(call, request, reply)) != OK ||
		(err = store_rollout_update(call, reply)) != OK ||
		(err = rollout_note(call, reply, before)) != OK)
		return err;
	if (strcmp(reply->state, "cancelled") == 0 &&
		((err = store_rollout_withdraw(call, reply->id)) != OK ||
			(err = portal_changed(call, "")) != OK))
		return err;
	return store_rollout_get(call, request->id, reply);
}

err_t list_rollout_devices(struct call *call, const Provision__ListRolloutDevicesRequest *request,
	Provision__RolloutDeviceList *reply)
{
	static const char *const states[] = { "waiting", "open", "done", "failed", "left", NULL };
	Provision__Rollout rollout = PROVISION__ROLLOUT__INIT;
	err_t err;

	if ((err = check_uuid(call, "id", request->id)) != OK)
		return err;
	if (*request->cursor != '\0' && (err = check_uuid(call, "cursor", request->cursor)) != OK)
		return err;
	if (*request->state != '\0' &&
		(err = check_word(call, "state", request->state, states)) != OK)
		return err;
	if ((err = store_rollout_get(call, request->id, &rollout)) != OK)
		return err;
	return store_rollout_devices(call, request, reply);
}
