/*
 * network: the rpcs of networks. A network's ranges are given when it is made and never change, so
 * a member's addresses stay as they are for its life.
 */
#include "services/provision/provision.h"

#include "lib/check.h"
#include "services/provision/address.h"
#include "services/provision/request.h"
#include "services/provision/store.h"

#define MTU_MIN	    1280 /* what IPv6 needs (RFC 8200) */
#define MTU_MAX	    9000
#define MTU_DEFAULT 1400

static err_t check_mtu(struct call *call, unsigned mtu)
{
	if (mtu < MTU_MIN || mtu > MTU_MAX)
		return call_refuse(call, ERR_INVALID_ARGUMENT, "mtu", "expected %d to %d bytes",
			MTU_MIN, MTU_MAX);
	return OK;
}

static err_t check_network(struct call *call, const Provision__Network *network)
{
	err_t err;

	if ((err = check_label(call, "name", network->name)) != OK)
		return err;
	if (*network->ipv4 != '\0' && (err = address_check_ipv4(call, "ipv4", network->ipv4)) != OK)
		return err;
	if ((err = address_check_ipv6(call, "ipv6", network->ipv6)) != OK)
		return err;
	return check_mtu(call, network->mtu);
}

err_t create_network(struct call *call, const Provision__CreateNetworkRequest *request,
	Provision__Network *reply)
{
	Provision__Network network = PROVISION__NETWORK__INIT;
	char ipv6[ADDRESS_RANGE_LEN];
	err_t err;

	network.name = request->name;
	network.ipv4 = request->ipv4;
	network.ipv6 = request->ipv6;
	network.mtu = request->mtu != 0 ? request->mtu : MTU_DEFAULT;
	if (*request->ipv6 == '\0') {
		address_random_ipv6(ipv6);
		network.ipv6 = ipv6;
	}
	if ((err = check_network(call, &network)) != OK)
		return err;
	return store_network_create(call, &network, reply);
}

err_t get_network(struct call *call, const Provision__Ref *request, Provision__Network *reply)
{
	err_t err;

	if ((err = check_uuid(call, "id", request->id)) != OK)
		return err;
	return store_network_get(call, request->id, reply);
}

err_t list_networks(
	struct call *call, const Provision__ListRequest *request, Provision__NetworkList *reply)
{
	err_t err;

	if ((err = request_check_list(call, request)) != OK)
		return err;
	return store_network_list(call, request, reply);
}

/* Locks the network and checks that it is of the version that the caller knows. */
static err_t lock_version(
	struct call *call, const char *id, int64_t version, Provision__Network *network)
{
	err_t err;

	if ((err = check_uuid(call, "id", id)) != OK ||
		(err = store_network_lock(call, id, network)) != OK)
		return err;
	return request_check_version(call, version, network->version);
}

err_t update_network(struct call *call, const Provision__UpdateNetworkRequest *request,
	Provision__Network *reply)
{
	bool has_mtu = request->set_mtu_case == PROVISION__UPDATE_NETWORK_REQUEST__SET_MTU_MTU;
	err_t err;

	if (has_mtu && (err = check_mtu(call, request->mtu)) != OK)
		return err;
	if ((err = lock_version(call, request->id, request->version, reply)) != OK)
		return err;
	if (!has_mtu || request->mtu == reply->mtu)
		return OK;
	return store_network_set_mtu(call, request->id, request->mtu, reply);
}

err_t delete_network(struct call *call, const Provision__Ref *request, Provision__Empty *reply)
{
	Provision__Network network = PROVISION__NETWORK__INIT;
	long long n;
	err_t err;

	(void)reply;
	if ((err = lock_version(call, request->id, request->version, &network)) != OK ||
		(err = store_network_count_members(call, request->id, &n)) != OK)
		return err;
	if (n > 0)
		return call_refuse(call, ERR_FAILED_PRECONDITION, "id",
			"the network has %lld member%s: remove %s first", n, n == 1 ? "" : "s",
			n == 1 ? "it" : "them");
	return store_network_delete(call, request->id);
}
