/* port: see port.h. */
#include "agents/lan/port.h"

#include "agents/lan/netlink.h"
#include "agents/netns.h"

#include <string.h>

static err_t make_bridge(struct netlink *netlink, const char *bridge, struct fault *fault)
{
	struct netlink_link found;

	if (netlink_find(netlink, bridge, &found) && strcmp(found.kind, "bridge") != 0)
		return fault_set(fault, ERR_ALREADY_EXISTS, "bridge",
			"--bridge: %.40s is an interface of another kind", bridge);
	if (found.index == 0)
		found.index = netlink_make(netlink, bridge, "bridge", 0);
	if (found.index != 0 && netlink_set_up(netlink, found.index))
		return OK;
	return fault_set(fault, ERR_INTERNAL, "bridge",
		"--bridge: can't make the Linux bridge %.40s: %m; run as root", bridge);
}

static err_t join(
	struct netlink *netlink, const char *interface, const char *bridge, struct fault *fault)
{
	struct netlink_link port, master;

	if (netlink_find(netlink, interface, &port) && netlink_find(netlink, bridge, &master) &&
		netlink_set_master(netlink, port.index, master.index) &&
		netlink_set_up(netlink, port.index))
		return OK;
	return fault_set(fault, ERR_INTERNAL, "bridge",
		"can't make %.40s a port of the bridge %.40s: %m", interface, bridge);
}

/* Opens a socket there. */
static err_t open_there(const char *netns, struct netlink **netlink, struct fault *fault)
{
	int home;
	err_t err = netns_enter(netns, &home, fault);

	if (err != OK)
		return err;
	err = netlink_open(netlink, fault);
	netns_leave(home);
	return err;
}

err_t port_make_bridge(const char *netns, const char *bridge, struct fault *fault)
{
	struct netlink *netlink;
	err_t err = open_there(netns, &netlink, fault);

	if (err != OK)
		return err;
	err = make_bridge(netlink, bridge, fault);
	netlink_close(netlink);
	return err;
}

err_t port_join(const char *netns, const char *interface, const char *bridge, struct fault *fault)
{
	struct netlink *netlink;
	err_t err = open_there(netns, &netlink, fault);

	if (err != OK)
		return err;
	err = join(netlink, interface, bridge, fault);
	netlink_close(netlink);
	return err;
}
