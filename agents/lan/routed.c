/* routed: see routed.h. */
#include "agents/lan/routed.h"

#include "agents/netns.h"

#include "lib/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* In the namespace of the thread. */
static bool set(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool fine = fd >= 0 && write(fd, value, strlen(value)) == (ssize_t)strlen(value);

	if (fd >= 0)
		close(fd);
	return fine;
}

static bool set_uplink(const char *uplink)
{
	char path[128];

	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/proxy_arp", uplink);
	if (!set(path, "1"))
		return false;
	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/neigh/%s/proxy_delay", uplink);
	if (!set(path, "0"))
		return false;
	/* A kernel without IPv6 has none of these. */
	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/neigh/%s/proxy_delay", uplink);
	(void)set(path, "0");
	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/proxy_ndp", uplink);
	(void)set(path, "1");
	return true;
}

bool routed_keep(struct routed *routed)
{
	struct netlink_link found;
	struct fault fault;
	bool fine;
	int home;

	if (!netlink_find(routed->netlink, routed->uplink, &found)) {
		routed->uplink_index = 0;
		return true;
	}
	if (found.index == routed->uplink_index)
		return true;
	if (netns_enter(routed->netns, &home, &fault) != OK)
		return false;
	fine = set_uplink(routed->uplink);
	netns_leave(home);
	if (fine) {
		routed->uplink_index = found.index;
		log_info("uplink", "interface=%s", routed->uplink);
	} else {
		log_error("uplink", "text=\"can't set proxy_arp of %s: %s\"", routed->uplink,
			strerror(errno));
	}
	return fine;
}

static err_t open_there(struct routed *routed, struct fault *fault)
{
	struct netlink_link found;
	err_t err;

	if ((err = netlink_open(&routed->netlink, fault)) != OK)
		return err;
	if (!netlink_find(routed->netlink, routed->interface, &found) ||
		!netlink_set_up(routed->netlink, found.index) ||
		!set("/proc/sys/net/ipv4/ip_forward", "1"))
		return fault_set(fault, ERR_INTERNAL, "interface",
			"can't set up %.40s and IPv4 forwarding: %m", routed->interface);
	(void)set("/proc/sys/net/ipv6/conf/all/forwarding", "1"); /* some kernels have none */
	routed->index = found.index;
	return OK;
}

err_t routed_open(struct routed *routed, const char *netns, const char *interface,
	const char *uplink, struct fault *fault)
{
	int home;
	err_t err = netns_enter(netns, &home, fault);

	if (err != OK)
		return err;
	*routed = (struct routed){ .netns = netns, .interface = interface, .uplink = uplink };
	err = open_there(routed, fault);
	netns_leave(home);
	if (err == OK)
		(void)routed_keep(routed);
	else
		routed_close(routed);
	return err;
}

void routed_close(struct routed *routed)
{
	netlink_close(routed->netlink);
	*routed = (struct routed){ 0 };
}

static size_t len_of(const struct address *address)
{
	return address->family == AF_INET ? 4 : 16;
}

static bool change_route(
	struct routed *routed, uint16_t type, uint16_t flags, const struct address *address)
{
	struct netlink_request request;
	struct nlmsghdr *message = netlink_begin(&request, type, flags);
	struct rtmsg *route = mnl_nlmsg_put_extra_header(message, sizeof(*route));

	route->rtm_family = (uint8_t)address->family;
	route->rtm_dst_len = (uint8_t)(8 * len_of(address));
	route->rtm_table = RT_TABLE_MAIN;
	route->rtm_protocol = RTPROT_STATIC;
	route->rtm_scope = RT_SCOPE_LINK;
	route->rtm_type = RTN_UNICAST;
	mnl_attr_put(message, RTA_DST, len_of(address), address->bytes);
	mnl_attr_put_u32(message, RTA_OIF, routed->index);
	return netlink_talk(routed->netlink, message);
}

/* For one address of IPv6 at the uplink, if that is there. */
static bool change_proxy(
	struct routed *routed, uint16_t type, uint16_t flags, const struct address *address)
{
	struct netlink_request request;
	struct nlmsghdr *message = netlink_begin(&request, type, flags);
	struct ndmsg *neighbour = mnl_nlmsg_put_extra_header(message, sizeof(*neighbour));

	if (address->family == AF_INET || routed->uplink_index == 0)
		return true;
	neighbour->ndm_family = AF_INET6;
	neighbour->ndm_ifindex = (int)routed->uplink_index;
	neighbour->ndm_flags = NTF_PROXY;
	mnl_attr_put(message, NDA_DST, len_of(address), address->bytes);
	return netlink_talk(routed->netlink, message);
}

bool routed_add(struct routed *routed, const struct address *address)
{
	const uint16_t flags = NLM_F_CREATE | NLM_F_REPLACE;

	if (address->family == AF_UNSPEC)
		return true;
	return change_route(routed, RTM_NEWROUTE, flags, address) &&
	       change_proxy(routed, RTM_NEWNEIGH, flags, address);
}

bool routed_remove(struct routed *routed, const struct address *address)
{
	bool fine;

	if (address->family == AF_UNSPEC)
		return true;
	fine = change_proxy(routed, RTM_DELNEIGH, 0, address);
	return change_route(routed, RTM_DELROUTE, 0, address) && fine;
}
