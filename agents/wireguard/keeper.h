/*
 * keeper: stands between a WireGuard interface and the portal: begins with the portal's word, lets
 * in the peers that it tells of, and tells what it sees of them (docs/wireguard.md). The loop's
 * thread.
 */
#pragma once

#include "agents/fetch.h"
#include "agents/state.h"

#include "lib/err.h"

#include <stdbool.h>

struct keeper;

/* All of it is kept. */
struct keeper_options {
	struct loop *loop;
	struct fetcher *fetcher;
	const struct device *device;
	const char *dir;       /* its own, which exists: key and configuration */
	const char *server;    /* id; NULL: the device's only one */
	const char *interface; /* of WireGuard */
	const char *uplink;    /* into the network: that of lanyard up */
	const char *netns;     /* of both; NULL: our own */
	void *context;
	void (*finished)(void *context, bool well); /* once; the log has said why */
};

err_t keeper_create(struct keeper **keeper, const struct keeper_options *options,
	struct fault *fault) MUST_CHECK;
void keeper_destroy(struct keeper *keeper); /* removes the interface; NULL is fine */

/* How it is, as JSON for lanyard status; malloc'ed. */
char *keeper_status(const struct keeper *keeper);

/* Is finished at once. */
void keeper_stop(struct keeper *keeper);
