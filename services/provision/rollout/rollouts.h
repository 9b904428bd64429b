/* rollouts: the handlers of proto/rollout.proto, as provision.h, and the task that moves them on.
 */
#pragma once

#include "lib/call.h"
#include "proto/rollout.pb-c.h"

/* ---- rollout.c ---- */

err_t create_rollout(struct call *call, const Provision__CreateRolloutRequest *request,
	Provision__Rollout *reply) MUST_CHECK;
err_t get_rollout(
	struct call *call, const Provision__Ref *request, Provision__Rollout *reply) MUST_CHECK;
err_t list_rollouts(struct call *call, const Provision__ListRequest *request,
	Provision__RolloutList *reply) MUST_CHECK;
err_t update_rollout(struct call *call, const Provision__UpdateRolloutRequest *request,
	Provision__Rollout *reply) MUST_CHECK;
err_t list_rollout_devices(struct call *call, const Provision__ListRolloutDevicesRequest *request,
	Provision__RolloutDeviceList *reply) MUST_CHECK;

/* Writes down what state it has got. */
err_t rollout_note(
	struct call *call, const Provision__Rollout *rollout, const char *before) MUST_CHECK;

/* ---- wave.c ---- */

/* The task: sees what became of the devices, and then stops a rollout, opens more of its wave, or
 * begins the next one. */
err_t move_rollouts(struct call *call) MUST_CHECK;
