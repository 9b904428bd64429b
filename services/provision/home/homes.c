/* homes: checks of what nodes claim and hand over; see docs/nodes.md. */
#include "services/provision/home/homes.h"

#include "lib/check.h"
#include "services/provision/home/store_home.h"

#define ITEMS_MAX     512
#define NODE_NAME_MAX 63

static err_t check_asker(struct call *call, const char *node, size_t n_items)
{
	if (n_items > ITEMS_MAX)
		return call_refuse(
			call, ERR_INVALID_ARGUMENT, "items", "expected at most %d", ITEMS_MAX);
	return check_uuid(call, "node", node);
}

static err_t check_network(struct call *call, const char *tenant, const char *network)
{
	err_t err = check_uuid(call, "tenant", tenant);

	return err == OK ? check_uuid(call, "network", network) : err;
}

err_t hold_homes(
	struct call *call, const Provision__HoldHomesRequest *request, Provision__HomeList *reply)
{
	err_t err = check_asker(call, request->node, request->n_claims);

	if (err == OK)
		err = check_text(call, "name", request->name, 1, NODE_NAME_MAX);
	for (size_t i = 0; err == OK && i < request->n_claims; i++)
		err = check_network(call, request->claims[i]->tenant, request->claims[i]->network);
	return err == OK ? store_hold_homes(call, request, reply) : err;
}

static err_t check_hand_over(struct call *call, const Provision__HandOver *item)
{
	err_t err = check_network(call, item->tenant, item->network);

	if (err == OK && *item->to != '\0')
		err = check_uuid(call, "to", item->to);
	return err == OK ? check_text(call, "to_name", item->to_name, 0, NODE_NAME_MAX) : err;
}

err_t hand_over_homes(struct call *call, const Provision__HandOverHomesRequest *request,
	Provision__HomeList *reply)
{
	err_t err = check_asker(call, request->node, request->n_items);

	for (size_t i = 0; err == OK && i < request->n_items; i++)
		err = check_hand_over(call, request->items[i]);
	return err == OK ? store_hand_over_homes(call, request, reply) : err;
}
