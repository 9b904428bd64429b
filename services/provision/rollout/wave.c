/* wave: the task that moves rollouts on. It runs for all tenants: the call's tenant is that of one
 * rollout while that one is moved. */
#include "services/provision/rollout/rollouts.h"

#include "lib/log.h"
#include "services/provision/portal_event.h"
#include "services/provision/publish.h"
#include "services/provision/rollout/store_rollout.h"
#include "services/provision/rollout/verdict.h"
#include "services/provision/store_portal.h"

#include <string.h>

#define BATCH 100 /* packages that are made in one transaction */

static struct rollout_count read_count(const struct db_rows *rows, size_t i)
{
	return (struct rollout_count){
		.wave = (int)db_int(rows, i, "wave"),
		.size = (int)db_int(rows, i, "size"),
		.waiting = (int)db_int(rows, i, "waiting"),
		.awaited = (int)db_int(rows, i, "awaited"),
		.fetching = (int)db_int(rows, i, "fetching"),
		.n_done = (int)db_int(rows, i, "done"),
		.n_failed = (int)db_int(rows, i, "failed"),
		.max_open = (int)db_int(rows, i, "max_open"),
		.fail_percent = (int)db_int(rows, i, "fail_percent"),
		.fail_count = (int)db_int(rows, i, "fail_count"),
	};
}

static err_t set_state(struct call *call, const char *id, const char *state, const char *reason)
{
	Provision__Rollout rollout = PROVISION__ROLLOUT__INIT;
	const char *before;
	err_t err = store_rollout_get(call, id, &rollout);

	if (err != OK)
		return err;
	before = rollout.state;
	rollout.state = (char *)(uintptr_t)state;
	rollout.reason = (char *)(uintptr_t)reason;
	err = store_rollout_update(call, &rollout);
	return err == OK ? rollout_note(call, &rollout, before) : err;
}

/* The devices that wait keep what they have, and those that were told and have not taken it go
 * back. */
static err_t stop(struct call *call, const char *id, const char *reason)
{
	err_t err = set_state(call, id, "stopped", reason);

	log_warn("rollout_stopped",
		"tenant=%s rollout=%s reason=%s"
		" action=\"look at its failed devices, then cancel it or raise its limit\"",
		call->tenant, id, log_value(reason));
	if (err == OK)
		err = store_rollout_withdraw(call, id);
	return err == OK ? portal_changed(call, "") : err;
}

static err_t begin_next(struct call *call, const char *id)
{
	Provision__Rollout rollout = PROVISION__ROLLOUT__INIT;
	err_t err = store_rollout_get(call, id, &rollout);

	if (err != OK)
		return err;
	rollout.wave++;
	log_info("rollout_wave", "tenant=%s rollout=%s wave=%u", call->tenant, id, rollout.wave);
	return store_rollout_update(call, &rollout);
}

static err_t open_device(struct call *call, const char *id, const char *device_id)
{
	Provision__PortalDevice device = PROVISION__PORTAL_DEVICE__INIT;
	err_t err;

	if ((err = store_portal_device_lock(call, device_id, &device)) != OK ||
		(err = publish_next(call, &device)) != OK)
		return err;
	return store_rollout_opened(call, id, device_id);
}

/* What is refused is the rollout's own trouble, and no reason to keep others waiting. */
static err_t open_devices(struct call *call, const char *id, int n)
{
	AUTO_ROWS rows = NULL;
	err_t err = store_rollout_waiting(call, id, n < BATCH ? n : BATCH, &rows);

	for (size_t i = 0; err == OK && i < db_count(rows); i++)
		err = open_device(call, id, db_text(rows, i, "device"));
	if (err == ERR_FAILED_PRECONDITION)
		return stop(call, id, arena_strdup(call->arena, call->fault.detail));
	return err;
}

static err_t move(struct call *call, const char *id, const struct rollout_count *count)
{
	switch (rollout_judge(count)) {
	case ROLLOUT_STOP:
		return stop(call, id,
			arena_printf(call->arena, "%d of %d devices failed in waves 1 to %d",
				count->n_failed, count->size, count->wave));
	case ROLLOUT_NEXT:
		return begin_next(call, id);
	case ROLLOUT_DONE:
		log_info("rollout_done", "tenant=%s rollout=%s", call->tenant, id);
		return set_state(call, id, "done", "");
	case ROLLOUT_GO_ON:
		break;
	}
	return open_devices(call, id, rollout_room(count));
}

err_t move_rollouts(struct call *call)
{
	const char *tenant = call->tenant;
	AUTO_ROWS rows = NULL;
	err_t err;

	if ((err = store_rollout_settle(call)) != OK ||
		(err = store_rollout_counts(call, &rows)) != OK)
		return err;
	for (size_t i = 0; err == OK && i < db_count(rows); i++) {
		struct rollout_count count = read_count(rows, i);

		call->tenant = db_text(rows, i, "tenant");
		err = move(call, db_text(rows, i, "id"), &count);
	}
	call->tenant = tenant;
	return err;
}
