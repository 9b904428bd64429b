/* link: see link.h. */
#include "agents/lan/link.h"

#include "agents/lan/join.h"
#include "agents/lan/netlink.h"

#include "lib/log.h"
#include "lib/mem.h"

#include <linux/if_addr.h>
#include <net/if.h>

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

struct link {
	struct netlink *netlink;
	unsigned index;
	char name[IFNAMSIZ];
	struct join join;	   /* all zero: it is not joined */
	struct address ipv4, ipv6; /* as set */
};

err_t link_open(struct link **out, const char *name, struct fault *fault)
{
	struct link *link = xcalloc(1, sizeof(*link));
	struct netlink_link found;
	err_t err = netlink_open(&link->netlink, fault);

	strncpy(link->name, name, sizeof(link->name) - 1);
	if (err == OK && !netlink_find(link->netlink, name, &found))
		err = fault_set(fault, ERR_INTERNAL, "", "can't set up the interface %s: %m", name);
	if (err != OK) {
		netlink_close(link->netlink);
		free(link);
		return err;
	}
	link->index = found.index;
	*out = link;
	return OK;
}

static err_t fail(const struct link *link, const char *what, struct fault *fault)
{
	return fault_set(
		fault, ERR_INTERNAL, "", "can't set %s of the interface %s: %m", what, link->name);
}

/* MAC address, state and, if not 0, MTU. */
static bool set_link(struct link *link, unsigned index, const uint8_t mac[6], uint32_t mtu)
{
	struct netlink_request request;
	struct nlmsghdr *message = netlink_begin_link(&request, RTM_NEWLINK, 0, index);
	struct ifinfomsg *info = mnl_nlmsg_get_payload(message);

	info->ifi_change = IFF_UP;
	info->ifi_flags = IFF_UP;
	mnl_attr_put(message, IFLA_ADDRESS, 6, mac);
	if (mtu != 0)
		mnl_attr_put_u32(message, IFLA_MTU, mtu);
	return netlink_talk(link->netlink, message);
}

static err_t set_interface(struct link *link, const struct link_config *config, struct fault *fault)
{
	const struct join *join = &link->join;
	uint32_t mtu = config->mtu > join->mtu ? config->mtu : join->mtu;

	if (!set_link(link, link->index, config->mac, mtu) ||
		(join->macvlan != 0 && !set_link(link, join->bridge, config->mac, 0)))
		return fail(link, "MAC address and MTU", fault);
	return OK;
}

static bool change_address(
	struct link *link, const struct address *address, uint16_t type, uint16_t flags)
{
	struct netlink_request request;
	struct nlmsghdr *message = netlink_begin(&request, type, flags);
	struct ifaddrmsg *info = mnl_nlmsg_put_extra_header(message, sizeof(*info));
	size_t len = address->family == AF_INET ? 4 : 16;

	info->ifa_family = (uint8_t)address->family;
	info->ifa_prefixlen = address->prefix_len;
	info->ifa_index = link->join.bridge != 0 ? link->join.bridge : link->index;
	info->ifa_scope = RT_SCOPE_UNIVERSE;
	if (address->family == AF_INET6)
		info->ifa_flags = IFA_F_NODAD; /* provisioning gives each address once */
	mnl_attr_put(message, IFA_LOCAL, len, address->bytes);
	mnl_attr_put(message, IFA_ADDRESS, len, address->bytes);
	return netlink_talk(link->netlink, message);
}

static bool is_same(const struct address *a, const struct address *b)
{
	return a->family == b->family && a->prefix_len == b->prefix_len &&
	       memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

/* Puts `wanted` in the place of `old`, which may be none. */
static err_t replace_address(
	struct link *link, struct address *old, const struct address *wanted, struct fault *fault)
{
	if (old->family != AF_UNSPEC && !is_same(old, wanted)) {
		if (!change_address(link, old, RTM_DELADDR, 0) && errno != EADDRNOTAVAIL)
			return fail(link, "address", fault);
		old->family = AF_UNSPEC;
	}
	/* REPLACE: also when it is there, so that one that somebody removed comes back. */
	if (wanted->family != AF_UNSPEC &&
		!change_address(link, wanted, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE))
		return fail(
			link, wanted->family == AF_INET ? "IPv4 address" : "IPv6 address", fault);
	*old = *wanted;
	return OK;
}

err_t link_apply(struct link *link, const struct link_config *config, struct fault *fault)
{
	err_t err = set_interface(link, config, fault);

	if (err == OK)
		err = replace_address(link, &link->ipv4, &config->ipv4, fault);
	if (err != OK || replace_address(link, &link->ipv6, &config->ipv6, fault) == OK)
		return err;
	if (errno != EACCES && errno != EOPNOTSUPP && errno != EAFNOSUPPORT)
		return ERR_INTERNAL;
	log_warn("no_ipv6", "interface=%s: this system has IPv6 switched off (%m); IPv4 only",
		link->name);
	return OK;
}

err_t link_join(struct link *link, const char *other, struct fault *fault)
{
	return join_open(&link->join, link->netlink, link->index, link->name, other, fault);
}

/* The bridge stays, its addresses that are the network's do not. */
static void leave(struct link *link)
{
	const struct address none = { .family = AF_UNSPEC };
	struct fault fault;

	if (replace_address(link, &link->ipv4, &none, &fault) != OK ||
		replace_address(link, &link->ipv6, &none, &fault) != OK)
		log_warn("leave_failed", "interface=%s detail=%s", link->name,
			log_value(fault.detail));
	join_close(&link->join);
}

void link_close(struct link *link)
{
	if (link == NULL)
		return;
	if (link->join.bridge != 0)
		leave(link);
	netlink_close(link->netlink);
	free(link);
}
