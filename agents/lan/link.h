/*
 * link: addresses, MTU and state of the agent's network interface, and what it is joined with.
 */
#pragma once

#include "agents/address.h"

#include "lib/err.h"

struct link;

/* What an interface shall have; the route to the network comes with the address. */
struct link_config {
	uint8_t mac[6];
	uint32_t mtu;
	struct address ipv4, ipv6;
};

/* Opens a netlink socket in the network namespace of the thread, for the interface `name` there. */
err_t link_open(struct link **link, const char *name, struct fault *fault) MUST_CHECK;

/* Leaves the interface as it is, but not joined any more; NULL is fine. */
void link_close(struct link *link);

/* Makes the interface so, and up. Addresses that an earlier call set and that are in it no more go.
 */
err_t link_apply(
	struct link *link, const struct link_config *config, struct fault *fault) MUST_CHECK;

/*
 * Before the first link_apply: makes one segment of the interface and `other` in the same network
 * namespace, a Linux bridge or the interface of a LAN (join.h). The addresses are the bridge's
 * then, and the interface's MTU is not below the bridge's.
 */
err_t link_join(struct link *link, const char *other, struct fault *fault) MUST_CHECK;
