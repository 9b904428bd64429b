/*
 * port: a Linux bridge for interfaces that are not ours, in a network namespace or in our own
 * (NULL). The bridge stays. Before the process has a second thread.
 */
#pragma once

#include "lib/err.h"

/* Makes the bridge, and sets it up, unless there is one. */
err_t port_make_bridge(const char *netns, const char *bridge, struct fault *fault) MUST_CHECK;

/* Makes the interface a port of it, and sets it up. */
err_t port_join(const char *netns, const char *interface, const char *bridge,
	struct fault *fault) MUST_CHECK;
