/*
 * wg_interface: a WireGuard interface, the kernel's or, where that has none, one of wireguard-go;
 * set up by Debian's wg. In a network namespace or in our own. The loop's thread; before the
 * process has a second one.
 */
#pragma once

#include "agents/loop.h"

#include "lib/err.h"

#include <stdbool.h>
#include <stdint.h>

struct wg_interface;

/* All of it is kept. */
struct wg_interface_options {
	struct loop *loop;
	const char *dir;   /* for its configuration, which has the key: 0700 */
	const char *netns; /* NULL: our own */
	const char *name;
	void *context;
	void (*ended)(void *context, int status); /* wireguard-go is gone, with the interface */
};

/* Makes the interface; what an earlier process left is removed. */
err_t wg_interface_open(struct wg_interface **interface, const struct wg_interface_options *options,
	struct fault *fault) MUST_CHECK;
void wg_interface_close(struct wg_interface *interface); /* removes it; NULL is fine */

/* Can it be set up by now? */
bool wg_interface_is_there(const struct wg_interface *interface);

err_t wg_interface_set_mtu(
	const struct wg_interface *interface, uint32_t mtu, struct fault *fault) MUST_CHECK;

/* Makes it as the configuration says; sessions of peers that stay go on. */
err_t wg_interface_set(
	const struct wg_interface *interface, const char *config, struct fault *fault) MUST_CHECK;

/* What wg tells of its peers; malloc'ed. */
err_t wg_interface_dump(
	const struct wg_interface *interface, char **dump, struct fault *fault) MUST_CHECK;
