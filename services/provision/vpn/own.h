/* own: the VPN server that a device stands beside, or is. */
#pragma once

#include "lib/call.h"
#include "proto/vpn.pb-c.h"

#include <stdbool.h>

struct own_server {
	Provision__VpnServer server;
	const char *run;     /* "": it was never started */
	const char *profile; /* name of the one that it serves; "": none */
};

/* FAILED_PRECONDITION: the device has left the network of its server. */
err_t own_refuse_stranger(struct call *call) MUST_CHECK;

/* The server `id` of an approved device, or its only one of the kind if `id` is empty, if
 * the device is a member of the server's network. With `lock` nobody else starts it until the
 * transaction ends. */
err_t own_find(struct call *call, const char *device, const char *id, const char *kind, bool lock,
	struct own_server *own) MUST_CHECK;

/* The same for what a run of it asks: FAILED_PRECONDITION when that is not the last one. */
err_t own_find_run(struct call *call, const char *device, const char *id, const char *kind,
	const char *run, struct own_server *own) MUST_CHECK;
