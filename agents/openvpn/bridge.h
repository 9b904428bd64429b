/*
 * bridge: stands between an OpenVPN server and the portal: begins with the portal's word, runs the
 * server, lets in whom the portal lets in, reports and throws out every second
 * (docs/openvpn.md). The loop's thread.
 */
#pragma once

#include "agents/fetch.h"
#include "agents/state.h"

#include "lib/err.h"

struct bridge;

/* All of it is kept. */
struct bridge_options {
	struct loop *loop;
	struct fetcher *fetcher;
	const struct device *device;
	const char *state;     /* folder */
	const char *server;    /* id; NULL: the device's only one */
	const char *interface; /* of OpenVPN */
	const char *join;      /* tap: the Linux bridge that it becomes a port of */
	const char *uplink;    /* tun: the interface of lanyard up */
	const char *netns;     /* of both; NULL: our own */
	void *context;
	void (*finished)(void *context, bool well); /* once; the log has said why */
};

err_t bridge_create(struct bridge **bridge, const struct bridge_options *options,
	struct fault *fault) MUST_CHECK;
void bridge_destroy(struct bridge *bridge); /* NULL is fine */

/* How it is, as JSON for lanyard status; malloc'ed. */
char *bridge_status(const struct bridge *bridge);

/* Ends the server, tells the portal of it, and is finished. */
void bridge_stop(struct bridge *bridge);
