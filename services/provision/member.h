/* member: what other handlers of provision do with members. In the thread and transaction of the
 * call. */
#pragma once

#include "lib/call.h"
#include "lib/db.h"
#include "proto/provision.pb-c.h"

/* Admits a device, which this call has locked or made, to a network, and tells everyone. Errors as
 * of store_member_create. */
err_t member_admit(struct call *call, const char *network, const char *device,
	Provision__Member *reply) MUST_CHECK;

/* Tells everyone of members, one event for each row of store_member_touch and its like. */
err_t member_publish(struct call *call, const struct db_rows *rows) MUST_CHECK;
