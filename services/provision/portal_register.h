/* portal_register: makes a device that the portal knows by its serial number. Runs in the thread of
 * the call. */
#pragma once

#include "lib/call.h"
#include "proto/portal.pb-c.h"

struct portal_registration {
	const char *name, *serial;
	const char *network; /* becomes a member of it; "": of none */
	const char *state;   /* STATE_APPROVED or STATE_PENDING */
	bool legacy;
};

/* Makes device, secret (unless it is legacy), first package if there is a template, and member. */
err_t portal_register(struct call *call, const struct portal_registration *wanted,
	Provision__PortalDevice *reply) MUST_CHECK;

/* The device was approved: if the portal knows it, it gets its first package now. */
err_t portal_approved(struct call *call, const char *device) MUST_CHECK;
