/*
 * network: the rpcs of networks. A network's ranges are given when it is made and never change, so
 * a member's addresses stay as they are for its life.
 */
#include "services/provision/provision.h"

#include "lib/check.h"
#include "lib/event.h"
#include "services/provision/address.h"
#include "services/provision/request.h"
#include "services/provision/store.h"

#include <stdbool.h>
#include <string.h>

#define MTU_MIN	    1280 /* what IPv6 needs (RFC 8200) */
#define MTU_MAX	    9000
#define MTU_DEFAULT 1400

#define STORM_FRAMES_MAX 1000000
#define STORM_BYTES_MAX	 1000000000

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

/* Puts what the request sets into the network; true if that changed anything. */
static bool apply_update(
	const Provision__UpdateNetworkRequest *request, Provision__Network *network)
{
	Provision__Network old;

	memcpy(&old, network, sizeof(old)); /* with the bytes between its fields, for memcmp */
	if (request->set_mtu_case != 0)
		network->mtu = request->mtu;
	if (request->set_no_broadcast_case != 0)
		network->no_broadcast = request->no_broadcast;
	if (request->set_no_multicast_case != 0)
		network->no_multicast = request->no_multicast;
	if (request->set_storm_frames_case != 0)
		network->storm_frames = request->storm_frames;
	if (request->set_storm_bytes_case != 0)
		network->storm_bytes = request->storm_bytes;
	return memcmp(&old, network, sizeof(old)) != 0;
}

static err_t check_update(struct call *call, const Provision__Network *network)
{
	err_t err;

	if ((err = check_mtu(call, network->mtu)) != OK)
		return err;
	if (network->storm_frames > STORM_FRAMES_MAX)
		return call_refuse(call, ERR_INVALID_ARGUMENT, "storm_frames",
			"expected 0 to %d frames a second", STORM_FRAMES_MAX);
	if (network->storm_bytes > STORM_BYTES_MAX)
		return call_refuse(call, ERR_INVALID_ARGUMENT, "storm_bytes",
			"expected 0 to %d bytes a second", STORM_BYTES_MAX);
	return OK;
}

/* Tells the nodes of the rules. */
static err_t publish(struct call *call, const Provision__Network *network)
{
	Event__Network event = EVENT__NETWORK__INIT;

	event.network = network->id;
	event.version = network->version;
	event.no_broadcast = network->no_broadcast;
	event.no_multicast = network->no_multicast;
	event.storm_frames = network->storm_frames;
	event.storm_bytes = network->storm_bytes;
	return event_publish(call, "network", &event.base);
}

err_t update_network(struct call *call, const Provision__UpdateNetworkRequest *request,
	Provision__Network *reply)
{
	Provision__Network network = PROVISION__NETWORK__INIT;
	err_t err;

	if ((err = lock_version(call, request->id, request->version, &network)) != OK)
		return err;
	if (!apply_update(request, &network)) {
		*reply = network;
		return OK;
	}
	if ((err = check_update(call, &network)) != OK ||
		(err = store_network_update(call, &network, reply)) != OK)
		return err;
	return publish(call, reply);
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
