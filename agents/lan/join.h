/*
 * join: makes the interface and another one segment, so that the stations behind that are in the
 * network. The other is a Linux bridge, of which the interface becomes a port, or that of a LAN:
 * then a bridge is made for the two, which has the LAN by a macvlan in its passthru mode, so that
 * the LAN's interface itself is as it was once that is gone.
 */
#pragma once

#include "agents/lan/netlink.h"

#include "lib/err.h"

#include <stdbool.h>
#include <stdint.h>

struct join {
	struct netlink *netlink;
	unsigned bridge;  /* index; 0: there is none */
	unsigned macvlan; /* 0: none was made, and neither was the bridge */
	uint32_t mtu;	  /* of the frames that may come from the other side */
};

/*
 * Joins the interface `index`, of name `name`, and `other`. Keeps `netlink`. Of an earlier process
 * that did not come to its end, what it made is removed first.
 */
err_t join_open(struct join *join, struct netlink *netlink, unsigned index, const char *name,
	const char *other, struct fault *fault) MUST_CHECK;

/* Removes what was made. Fine for one that is all zero. */
void join_close(struct join *join);
