/* publish: makes a portal device's next package. Runs in the thread of the call. */
#pragma once

#include "lib/call.h"
#include "proto/portal.pb-c.h"

/* What the files of a device's packages are sealed for. */
const char *publish_use(struct call *call, const char *device);

/* The same of the tenant's ta.key. */
const char *publish_ta_key_use(struct call *call);

/* What is stored of a password in credentials. */
const char *publish_digest(struct arena *arena, const char *password);

/* FAILED_PRECONDITION while the portal has no template. The device's row is locked. */
err_t publish_next(struct call *call, const Provision__PortalDevice *device) MUST_CHECK;
