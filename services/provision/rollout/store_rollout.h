/*
 * store_rollout: the SQL of rollouts, on the tables of db/migrations/0013_rollouts.sql. The rules
 * are those of store.h.
 */
#pragma once

#include "lib/db.h"
#include "proto/rollout.pb-c.h"

/* ALREADY_EXISTS: another one is under way. */
err_t store_rollout_create(
	struct call *call, const Provision__Rollout *rollout, Provision__Rollout *reply) MUST_CHECK;
err_t store_rollout_get(struct call *call, const char *id, Provision__Rollout *reply) MUST_CHECK;
/* As get, and nobody else changes it until the transaction ends. */
err_t store_rollout_lock(struct call *call, const char *id, Provision__Rollout *reply) MUST_CHECK;
err_t store_rollout_list(struct call *call, const Provision__ListRequest *request,
	Provision__RolloutList *reply) MUST_CHECK;
/* Sets state, reason, wave and limits. */
err_t store_rollout_update(struct call *call, const Provision__Rollout *rollout) MUST_CHECK;
err_t store_rollout_devices(struct call *call, const Provision__ListRolloutDevicesRequest *request,
	Provision__RolloutDeviceList *reply) MUST_CHECK;
/* Is one under way? */
err_t store_rollout_under_way(struct call *call, bool *under_way) MUST_CHECK;

/* Of all tenants: notes what became of devices that were told. */
err_t store_rollout_settle(struct call *call) MUST_CHECK;
/* Of all tenants: the running ones, locked: tenant, id, and the columns of struct rollout_count. */
err_t store_rollout_counts(struct call *call, struct db_rows **rows) MUST_CHECK;
/* The next devices of the waves so far that wait, `n` at most: device. */
err_t store_rollout_waiting(
	struct call *call, const char *id, int n, struct db_rows **rows) MUST_CHECK;
/* The device's current package is that of the rollout. */
err_t store_rollout_opened(struct call *call, const char *id, const char *device) MUST_CHECK;
/* Devices that have not taken its package go back to the one that they use. */
err_t store_rollout_withdraw(struct call *call, const char *id) MUST_CHECK;
