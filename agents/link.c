/* link: see link.h. Each change is one request and its acknowledgement, at once: the kernel does
 * not wait. */
#include "agents/link.h"

#include "lib/log.h"
#include "lib/mem.h"

#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <errno.h>
#include <stdalign.h>
#include <string.h>
#include <sys/socket.h>

#define MESSAGE_MAX 8192 /* bytes; ours have less than 100, an acknowledgement repeats one */

struct link {
	struct mnl_socket *socket;
	unsigned port;
	unsigned sequence;
	unsigned index;
	char name[IFNAMSIZ];
	struct address ipv4, ipv6; /* as set */
};

err_t link_open(struct link **out, const char *name, struct fault *fault)
{
	struct link *link = xcalloc(1, sizeof(*link));

	strncpy(link->name, name, sizeof(link->name) - 1);
	link->index = if_nametoindex(name);
	link->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (link->index == 0 || link->socket == NULL ||
		mnl_socket_bind(link->socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		fault_set(fault, ERR_INTERNAL, "", "can't set up the interface %s: %m", name);
		link_close(link);
		return ERR_INTERNAL;
	}
	link->port = mnl_socket_get_portid(link->socket);
	*out = link;
	return OK;
}

void link_close(struct link *link)
{
	if (link == NULL)
		return;
	if (link->socket != NULL)
		mnl_socket_close(link->socket);
	free(link);
}

/* Sends the request and waits for its acknowledgement; errno as the kernel said. */
static bool talk(struct link *link, struct nlmsghdr *request)
{
	alignas(struct nlmsghdr) char buf[MESSAGE_MAX];
	ssize_t n;

	request->nlmsg_seq = ++link->sequence;
	if (mnl_socket_sendto(link->socket, request, request->nlmsg_len) < 0)
		return false;
	do {
		n = mnl_socket_recvfrom(link->socket, buf, sizeof(buf));
		if (n < 0)
			return false;
		n = mnl_cb_run(buf, (size_t)n, link->sequence, link->port, NULL, NULL);
	} while (n > MNL_CB_STOP);
	return n == MNL_CB_STOP;
}

static struct nlmsghdr *begin(char *buf, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *request = mnl_nlmsg_put_header(buf);

	request->nlmsg_type = type;
	request->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
	return request;
}

static err_t fail(const struct link *link, const char *what, struct fault *fault)
{
	return fault_set(
		fault, ERR_INTERNAL, "", "can't set %s of the interface %s: %m", what, link->name);
}

static err_t set_interface(struct link *link, const struct link_config *config, struct fault *fault)
{
	alignas(struct nlmsghdr) char buf[MESSAGE_MAX];
	struct nlmsghdr *request = begin(buf, RTM_NEWLINK, 0);
	struct ifinfomsg *info = mnl_nlmsg_put_extra_header(request, sizeof(*info));

	info->ifi_family = AF_UNSPEC;
	info->ifi_index = (int)link->index;
	info->ifi_change = IFF_UP;
	info->ifi_flags = IFF_UP;
	mnl_attr_put(request, IFLA_ADDRESS, sizeof(config->mac), config->mac);
	mnl_attr_put_u32(request, IFLA_MTU, config->mtu);
	return talk(link, request) ? OK : fail(link, "MAC address and MTU", fault);
}

static bool change_address(
	struct link *link, const struct address *address, uint16_t type, uint16_t flags)
{
	alignas(struct nlmsghdr) char buf[MESSAGE_MAX];
	struct nlmsghdr *request = begin(buf, type, flags);
	struct ifaddrmsg *info = mnl_nlmsg_put_extra_header(request, sizeof(*info));
	size_t len = address->family == AF_INET ? 4 : 16;

	info->ifa_family = (uint8_t)address->family;
	info->ifa_prefixlen = address->prefix_len;
	info->ifa_index = link->index;
	info->ifa_scope = RT_SCOPE_UNIVERSE;
	if (address->family == AF_INET6)
		info->ifa_flags = IFA_F_NODAD; /* provisioning gives each address once */
	mnl_attr_put(request, IFA_LOCAL, len, address->bytes);
	mnl_attr_put(request, IFA_ADDRESS, len, address->bytes);
	return talk(link, request);
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

/* The namespace is that of the link's socket, which the thread may have left. */
static unsigned find_index(struct link *link, const char *name)
{
	alignas(struct nlmsghdr) char buf[MESSAGE_MAX];
	struct nlmsghdr *request = begin(buf, RTM_GETLINK, 0);
	struct ifinfomsg *info = mnl_nlmsg_put_extra_header(request, sizeof(*info));
	ssize_t n;

	info->ifi_family = AF_UNSPEC;
	mnl_attr_put_strz(request, IFLA_IFNAME, name);
	request->nlmsg_flags = NLM_F_REQUEST;
	request->nlmsg_seq = ++link->sequence;
	if (mnl_socket_sendto(link->socket, request, request->nlmsg_len) < 0)
		return 0;
	n = mnl_socket_recvfrom(link->socket, buf, sizeof(buf));
	request = (struct nlmsghdr *)buf;
	if (n < (ssize_t)sizeof(*request) || request->nlmsg_type != RTM_NEWLINK)
		return 0;
	return (unsigned)((struct ifinfomsg *)mnl_nlmsg_get_payload(request))->ifi_index;
}

err_t link_join(struct link *link, const char *bridge, struct fault *fault)
{
	alignas(struct nlmsghdr) char buf[MESSAGE_MAX];
	unsigned index = find_index(link, bridge);
	struct nlmsghdr *request = begin(buf, RTM_NEWLINK, 0);
	struct ifinfomsg *info = mnl_nlmsg_put_extra_header(request, sizeof(*info));

	info->ifi_family = AF_UNSPEC;
	info->ifi_index = (int)link->index;
	mnl_attr_put_u32(request, IFLA_MASTER, index);
	if (index == 0)
		return fault_set(fault, ERR_NOT_FOUND, "join",
			"--join: there is no interface %.40s", bridge);
	if (!talk(link, request))
		return fault_set(fault, ERR_INVALID_ARGUMENT, "join",
			"--join: %.40s takes no ports (%m): expected a Linux bridge", bridge);
	return OK;
}
