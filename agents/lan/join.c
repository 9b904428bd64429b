/* join: see join.h. */
#include "agents/lan/join.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#define BRIDGE_SUFFIX "-br"
#define LAN_SUFFIX    "-lan"

/* Removes what an earlier process left; never what is of another kind. */
static bool remove_left(struct netlink *netlink, const char *name, const char *kind)
{
	struct netlink_link found;

	if (!netlink_find(netlink, name, &found))
		return true;
	errno = EEXIST;
	return strcmp(found.kind, kind) == 0 && netlink_remove(netlink, found.index);
}

static err_t fail_macvlan(const char *lan, struct fault *fault)
{
	if (errno == EBUSY || errno == EINVAL)
		return fault_set(fault, ERR_FAILED_PRECONDITION, "join",
			"--join: %.40s can't have a macvlan that gets all of it (%m): expected a "
			"Linux bridge, or an Ethernet interface that is no port of one and has no "
			"macvlans",
			lan);
	if (errno == EOPNOTSUPP)
		return fault_set(fault, ERR_UNAVAILABLE, "join",
			"--join: this kernel has no macvlan (modprobe macvlan): make a Linux "
			"bridge with %.40s and join that",
			lan);
	return fault_set(
		fault, ERR_INTERNAL, "join", "--join: can't make a macvlan on %.40s: %m", lan);
}

/* The bridge for the interface and the LAN. */
static err_t make_bridge(struct join *join, const char *name, const char *lan,
	const struct netlink_link *found, struct fault *fault)
{
	struct netlink *netlink = join->netlink;
	char bridge[IFNAMSIZ], macvlan[IFNAMSIZ];

	if (strlen(name) + strlen(LAN_SUFFIX) >= IFNAMSIZ)
		return fault_set(fault, ERR_INVALID_ARGUMENT, "interface",
			"--join: %s has no room for the names of its bridge and macvlan: expected "
			"an interface name of at most %zu letters",
			name, IFNAMSIZ - 1 - strlen(LAN_SUFFIX));
	snprintf(bridge, sizeof(bridge), "%.11s" BRIDGE_SUFFIX, name);
	snprintf(macvlan, sizeof(macvlan), "%.11s" LAN_SUFFIX, name);
	if (!remove_left(netlink, bridge, "bridge") || !remove_left(netlink, macvlan, "macvlan"))
		return fault_set(fault, ERR_ALREADY_EXISTS, "join",
			"--join: there is an interface %s or %s already: choose another name for "
			"%s",
			bridge, macvlan, name);
	if ((join->macvlan = netlink_make(netlink, macvlan, "macvlan", found->index)) == 0)
		return fail_macvlan(lan, fault);
	join->bridge = netlink_make(netlink, bridge, "bridge", 0);
	if (join->bridge == 0 || !netlink_set_master(netlink, join->macvlan, join->bridge) ||
		!netlink_set_up(netlink, found->index) || !netlink_set_up(netlink, join->macvlan) ||
		!netlink_set_up(netlink, join->bridge))
		return fault_set(fault, ERR_INTERNAL, "join",
			"--join: can't make a bridge with %.40s: %m", lan);
	return OK;
}

err_t join_open(struct join *join, struct netlink *netlink, unsigned index, const char *name,
	const char *other, struct fault *fault)
{
	struct netlink_link found;
	err_t err;

	*join = (struct join){ .netlink = netlink };
	if (!netlink_find(netlink, other, &found))
		return fault_set(
			fault, ERR_NOT_FOUND, "join", "--join: there is no interface %.40s", other);
	join->mtu = found.mtu;
	if (strcmp(found.kind, "bridge") == 0)
		join->bridge = found.index;
	else if ((err = make_bridge(join, name, other, &found, fault)) != OK)
		goto err_close;
	if (netlink_set_master(netlink, index, join->bridge))
		return OK;
	err = fault_set(fault, ERR_INTERNAL, "join", "--join: can't make %s a port of %.40s: %m",
		name, other);
err_close:
	join_close(join);
	return err;
}

void join_close(struct join *join)
{
	if (join->macvlan != 0) {
		(void)netlink_remove(join->netlink, join->macvlan);
		if (join->bridge != 0)
			(void)netlink_remove(join->netlink, join->bridge);
	}
	*join = (struct join){ 0 };
}
