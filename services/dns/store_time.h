/*
 * store_time: what time, and the fate of their devices, do to registered names: the SQL of tasks
 * and events, and the event that ends tunnels. In the call's transaction; what time does wants
 * CALL_FLEET.
 */
#pragma once

#include "lib/db.h"
#include "services/dns/store_registration.h"

/* Tells the nodes to end the tunnel; whoever has a right to it shows its token again. */
err_t store_name_publish(
	struct call *call, const char *id, const char *name, const char *reason) MUST_CHECK;

/* Names not heard from for `after_s` lose their addresses; their tunnels end. */
err_t store_expire(struct call *call, long after_s) MUST_CHECK;
/* Names of a device of the call's tenant, or (device "") of all of the tenant, lose all that they
 * have in the DNS, and their tokens open nothing until they are resumed; their tunnels end. */
err_t store_suspend(struct call *call, const char *device) MUST_CHECK;
err_t store_resume(struct call *call, const char *device) MUST_CHECK;
/* Names of a device that is no more are free for others. */
err_t store_free(struct call *call, const char *device) MUST_CHECK;
/* Challenges whose time is over are removed, and what `gone` still remembers after a day. */
err_t store_prune(struct call *call) MUST_CHECK;
/* The next name that was not heard from for `after_days` and isn't warned of yet, warned now;
 * *found: is there one? */
err_t store_warn(
	struct call *call, long after_days, struct store_holder *holder, bool *found) MUST_CHECK;
/* Removes names not heard from for `after_days`. */
err_t store_forget(struct call *call, long after_days) MUST_CHECK;
/* What is left of the call's tenant is about to go: the zones that hold names of it change. */
err_t store_leave(struct call *call) MUST_CHECK;
