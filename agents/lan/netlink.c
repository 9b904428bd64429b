/* netlink: see netlink.h. */
#include "agents/lan/netlink.h"

#include "lib/mem.h"

#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

struct netlink {
	struct mnl_socket *socket;
	unsigned port;
	unsigned sequence;
};

err_t netlink_open(struct netlink **out, struct fault *fault)
{
	struct netlink *netlink = xcalloc(1, sizeof(*netlink));

	netlink->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (netlink->socket == NULL ||
		mnl_socket_bind(netlink->socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		fault_set(fault, ERR_INTERNAL, "", "can't set up network interfaces: %m");
		netlink_close(netlink);
		return ERR_INTERNAL;
	}
	netlink->port = mnl_socket_get_portid(netlink->socket);
	*out = netlink;
	return OK;
}

void netlink_close(struct netlink *netlink)
{
	if (netlink == NULL)
		return;
	if (netlink->socket != NULL)
		mnl_socket_close(netlink->socket);
	free(netlink);
}

struct nlmsghdr *netlink_begin(struct netlink_request *request, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(request->bytes);

	message->nlmsg_type = type;
	message->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
	return message;
}

struct nlmsghdr *netlink_begin_link(
	struct netlink_request *request, uint16_t type, uint16_t flags, unsigned index)
{
	struct nlmsghdr *message = netlink_begin(request, type, flags);
	struct ifinfomsg *info = mnl_nlmsg_put_extra_header(message, sizeof(*info));

	info->ifi_family = AF_UNSPEC;
	info->ifi_index = (int)index;
	return message;
}

/* Also hands what is told before the acknowledgement to `told`, which may be NULL. */
static bool ask(struct netlink *netlink, struct nlmsghdr *message, mnl_cb_t told, void *context)
{
	struct netlink_request answer;
	ssize_t n;

	message->nlmsg_seq = ++netlink->sequence;
	if (mnl_socket_sendto(netlink->socket, message, message->nlmsg_len) < 0)
		return false;
	do {
		n = mnl_socket_recvfrom(netlink->socket, answer.bytes, sizeof(answer.bytes));
		if (n < 0)
			return false;
		n = mnl_cb_run(
			answer.bytes, (size_t)n, netlink->sequence, netlink->port, told, context);
	} while (n > MNL_CB_STOP);
	return n == MNL_CB_STOP;
}

bool netlink_talk(struct netlink *netlink, struct nlmsghdr *message)
{
	return ask(netlink, message, NULL, NULL);
}

static int take_kind(const struct nlattr *attribute, void *context)
{
	struct netlink_link *link = context;

	if (mnl_attr_get_type(attribute) == IFLA_INFO_KIND)
		snprintf(link->kind, sizeof(link->kind), "%s", mnl_attr_get_str(attribute));
	return MNL_CB_OK;
}

static int take_attribute(const struct nlattr *attribute, void *context)
{
	struct netlink_link *link = context;

	if (mnl_attr_get_type(attribute) == IFLA_MTU)
		link->mtu = mnl_attr_get_u32(attribute);
	else if (mnl_attr_get_type(attribute) == IFLA_LINKINFO)
		mnl_attr_parse_nested(attribute, take_kind, link);
	return MNL_CB_OK;
}

static int take_link(const struct nlmsghdr *message, void *context)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
	struct netlink_link *link = context;

	link->index = (unsigned)info->ifi_index;
	mnl_attr_parse(message, sizeof(*info), take_attribute, link);
	return MNL_CB_OK;
}

bool netlink_find(struct netlink *netlink, const char *name, struct netlink_link *link)
{
	struct netlink_request request;
	struct nlmsghdr *message = netlink_begin_link(&request, RTM_GETLINK, 0, 0);

	*link = (struct netlink_link){ 0 };
	mnl_attr_put_strz(message, IFLA_IFNAME, name);
	return ask(netlink, message, take_link, link) && link->index != 0;
}

/* ---- changes ---- */

static bool set_number(struct netlink *netlink, unsigned index, uint16_t attribute, uint32_t number)
{
	struct netlink_request request;
	struct nlmsghdr *message = netlink_begin_link(&request, RTM_NEWLINK, 0, index);

	mnl_attr_put_u32(message, attribute, number);
	return netlink_talk(netlink, message);
}

bool netlink_set_master(struct netlink *netlink, unsigned index, unsigned master)
{
	return set_number(netlink, index, IFLA_MASTER, master);
}

bool netlink_set_mtu(struct netlink *netlink, unsigned index, uint32_t mtu)
{
	return set_number(netlink, index, IFLA_MTU, mtu);
}

bool netlink_set_up(struct netlink *netlink, unsigned index)
{
	struct netlink_request request;
	struct nlmsghdr *message = netlink_begin_link(&request, RTM_NEWLINK, 0, index);
	struct ifinfomsg *info = mnl_nlmsg_get_payload(message);

	info->ifi_change = IFF_UP;
	info->ifi_flags = IFF_UP;
	return netlink_talk(netlink, message);
}

bool netlink_remove(struct netlink *netlink, unsigned index)
{
	struct netlink_request request;

	return netlink_talk(netlink, netlink_begin_link(&request, RTM_DELLINK, 0, index));
}

unsigned netlink_make(struct netlink *netlink, const char *name, const char *kind, unsigned lower)
{
	struct netlink_request request;
	struct nlmsghdr *message =
		netlink_begin_link(&request, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0);
	struct nlattr *info, *data;
	struct netlink_link made;

	mnl_attr_put_strz(message, IFLA_IFNAME, name);
	if (lower != 0)
		mnl_attr_put_u32(message, IFLA_LINK, lower);
	info = mnl_attr_nest_start(message, IFLA_LINKINFO);
	mnl_attr_put_strz(message, IFLA_INFO_KIND, kind);
	if (lower != 0) {
		data = mnl_attr_nest_start(message, IFLA_INFO_DATA);
		mnl_attr_put_u32(message, IFLA_MACVLAN_MODE, MACVLAN_MODE_PASSTHRU);
		mnl_attr_nest_end(message, data);
	}
	mnl_attr_nest_end(message, info);
	if (!netlink_talk(netlink, message) || !netlink_find(netlink, name, &made))
		return 0;
	return made.index;
}
