/*
 * store_time: what time does to registered names: the SQL of the tasks, and the event that ends
 * tunnels. In the call's transaction; wants CALL_FLEET.
 */
#pragma once

#include "lib/db.h"
#include "services/dns/store_registration.h"

/* Tells the nodes to end the tunnel; whoever has a right to it shows its token again. */
err_t store_name_publish(
	struct call *call, const char *id, const char *name, const char *reason) MUST_CHECK;

/* Names not heard from for `after_s` lose their addresses; their tunnels end. */
err_t store_expire(struct call *call, long after_s) MUST_CHECK;
/* Challenges whose time is over are removed, and what `gone` still remembers after a day. */
err_t store_prune(struct call *call) MUST_CHECK;
/* The next name that was not heard from for `after_days` and isn't warned of yet, warned now;
 * *found: is there one? */
err_t store_warn(
	struct call *call, long after_days, struct store_holder *holder, bool *found) MUST_CHECK;
/* Removes names not heard from for `after_days`. */
err_t store_forget(struct call *call, long after_days) MUST_CHECK;
