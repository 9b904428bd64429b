/*
 * netlink: asks the kernel to change and tell network interfaces (rtnetlink), in the network
 * namespace of the thread that opened it. Each request is answered at once: the kernel does not
 * wait. This folder is the only code that sees libmnl. One thread at a time.
 */
#pragma once

#include "lib/err.h"

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stdint.h>

#define NETLINK_MESSAGE_MAX 16384 /* bytes; ours have less than 200, what is told has more */
#define NETLINK_KIND_SIZE   16

/* Room for a request. */
struct netlink_request {
	_Alignas(struct nlmsghdr) char bytes[NETLINK_MESSAGE_MAX];
};

/* What the kernel tells of an interface. */
struct netlink_link {
	unsigned index;
	uint32_t mtu;
	char kind[NETLINK_KIND_SIZE]; /* "bridge", "macvlan", ...; "" of what is no software's */
};

struct netlink;

err_t netlink_open(struct netlink **netlink, struct fault *fault) MUST_CHECK;
void netlink_close(struct netlink *netlink); /* NULL is fine */

/* Begins a request of this type and with these flags. */
struct nlmsghdr *netlink_begin(struct netlink_request *request, uint16_t type, uint16_t flags);

/* Begins one about the interface `index`, 0: one that is yet to be. */
struct nlmsghdr *netlink_begin_link(
	struct netlink_request *request, uint16_t type, uint16_t flags, unsigned index);

/* Sends it and waits for the acknowledgement; false: errno is as the kernel said. */
bool netlink_talk(struct netlink *netlink, struct nlmsghdr *message);

/* Looks for an interface; false: there is none of that name. */
bool netlink_find(struct netlink *netlink, const char *name, struct netlink_link *link);

/* Makes the interface a port of a bridge; sets it up. False: errno is as the kernel said. */
bool netlink_set_master(struct netlink *netlink, unsigned index, unsigned master);
bool netlink_set_up(struct netlink *netlink, unsigned index);
bool netlink_set_mtu(struct netlink *netlink, unsigned index, uint32_t mtu);

/* Makes an interface of the kind; with `lower` a macvlan that gets all that comes to it. Its index,
 * or 0: errno is as the kernel said. */
unsigned netlink_make(struct netlink *netlink, const char *name, const char *kind, unsigned lower);
bool netlink_remove(struct netlink *netlink, unsigned index);
