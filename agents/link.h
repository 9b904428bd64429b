/*
 * link: address, MTU and state of a network interface, set through netlink. The only code that sees
 * libmnl.
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
void link_close(struct link *link); /* leaves the interface as it is; NULL is fine */

/* Makes the interface so, and up. Addresses that an earlier call set and that are in it no more go.
 */
err_t link_apply(
	struct link *link, const struct link_config *config, struct fault *fault) MUST_CHECK;

/* Makes the interface a port of the Linux bridge `bridge` in the same network namespace. */
err_t link_join(struct link *link, const char *bridge, struct fault *fault) MUST_CHECK;
