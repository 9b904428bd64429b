/* publish: makes a portal device's next package. Runs in the thread of the call. */
#pragma once

#include "lib/call.h"
#include "lib/db.h"
#include "proto/portal.pb-c.h"
#include "services/provision/package.h"

/* What the files of a device's packages are sealed for. */
const char *publish_use(struct call *call, const char *device);

/* The same of the tenant's ta.key. */
const char *publish_ta_key_use(struct call *call);

/* What is stored of a password in credentials. */
const char *publish_digest(struct arena *arena, const char *password);

/* Is there anything that a package could be made of? `portal` is a row of store_portal_lock. */
bool publish_possible(const struct db_rows *portal);
err_t publish_refuse(struct call *call) MUST_CHECK; /* there is not */

/* Reads a package back, and makes its archive anew. NOT_FOUND: there is none of this number. */
err_t publish_read(
	struct call *call, const char *device, int number, struct package *package) MUST_CHECK;

/* FAILED_PRECONDITION while the portal has nothing to make one of. The device's row is locked. */
err_t publish_next(struct call *call, const Provision__PortalDevice *device) MUST_CHECK;
