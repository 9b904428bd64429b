/*
 * routed: stations behind a TUN interface that have addresses of the network at another interface,
 * the uplink: a route to each, and the kernel answers for them at the uplink (proxy ARP, and for
 * each address of IPv6 a proxy of its own). In a network namespace or in our own (NULL). Before the
 * process has a second thread.
 */
#pragma once

#include "agents/address.h"
#include "agents/lan/netlink.h"

#include "lib/err.h"

struct routed {
	struct netlink *netlink;
	const char *netns, *interface, *uplink;
	unsigned index;	       /* of the interface */
	unsigned uplink_index; /* as it was set up; 0: not there yet */
};

/* Sets the interface up and lets packets through. All texts are kept. */
err_t routed_open(struct routed *routed, const char *netns, const char *interface,
	const char *uplink, struct fault *fault) MUST_CHECK;
void routed_close(struct routed *routed); /* also one that is all zero */

/* Sets up an uplink that has come, or come again: `uplink_index` is another one then, and addresses
 * of IPv6 are to be added anew. False: the log has said why. */
bool routed_keep(struct routed *routed);

/* The kernel's word is in errno. With no address (AF_UNSPEC) there is nothing to do. */
bool routed_add(struct routed *routed, const struct address *address);
bool routed_remove(struct routed *routed, const struct address *address);
