/*
 * The lease on a network: one node has it, keeps it while it asks, and loses it by time, by a sign
 * of death, by its own wish, or by a hand that edits the row.
 */
#include "tests/component/provision_fixture.h"

#include "proto/home.pb-c.h"

#include <string.h>

TestSuite(provision_homes, .init = setup, .fini = teardown, .timeout = 120);

#define NODE_A "0199a000-0000-7000-8000-00000000000a"
#define NODE_B "0199a000-0000-7000-8000-00000000000b"

SQL(lapse, "UPDATE provision.home SET expires_at = now() - interval '1 second'"
	   " WHERE network_id = $1");
SQL(edit, "UPDATE provision.home SET node = $2::uuid, epoch = 1, expires_at = 'infinity'"
	  " WHERE network_id = $1");
SQL(live, "INSERT INTO fabric.instance (id, service, url, events_url)"
	  " VALUES ($1, 'dataplane', 'tcp://127.0.0.1:9', 'tcp://127.0.0.1:9')");
SQL(asleep, "UPDATE fabric.instance SET heartbeat_at = now() - interval '4 seconds'"
	    " WHERE id = $1");

struct asking {
	const char *tenant, *network;
	bool unreachable;
};

/* What the node is told of the network; NULL if nothing. */
static const Provision__Home *hold(struct step *step, const char *node, const struct asking *asking)
{
	Provision__HomeClaim claim = PROVISION__HOME_CLAIM__INIT;
	Provision__HoldHomesRequest request = PROVISION__HOLD_HOMES_REQUEST__INIT;
	const Provision__HomeList *list;

	claim.tenant = (char *)(uintptr_t)asking->tenant;
	claim.network = (char *)(uintptr_t)asking->network;
	claim.unreachable = asking->unreachable;
	request.node = (char *)(uintptr_t)node;
	request.name = strcmp(node, NODE_A) == 0 ? "a" : "b";
	request.n_claims = 1;
	request.claims = (Provision__HomeClaim *[]){ &claim };
	step->call.tenant = CALL_FLEET;
	ASSERT_OK(step, ask(step, &provision__homes__descriptor, "HoldHomes", &request.base,
				(const void **)&list));
	step->call.tenant = asking->tenant;
	return list->n_items == 1 ? list->items[0] : NULL;
}

static void check_home(const Provision__Home *home, const char *node, int64_t epoch)
{
	cr_assert_not_null(home);
	cr_assert_str_eq(home->node, node);
	cr_assert_str_eq(home->name, strcmp(node, NODE_A) == 0 ? "a" : "b");
	cr_assert_eq(home->epoch, epoch, "epoch %lld", (long long)home->epoch);
	cr_assert_leq(home->left_ms, 10000);
}

static struct asking new_network(struct step *step)
{
	const Provision__Network *network;
	const char *tenant = new_tenant();

	step_open(step, tenant);
	ASSERT_OK(step, make_network(step, "yard", "10.8.0.0/24", "", &network));
	return (struct asking){ tenant, network->id, false };
}

static const Provision__HomeList *hand_over(
	struct step *step, const struct asking *asking, const char *from, const char *to)
{
	Provision__HandOver item = PROVISION__HAND_OVER__INIT;
	Provision__HandOverHomesRequest request = PROVISION__HAND_OVER_HOMES_REQUEST__INIT;
	const Provision__HomeList *list;

	item.tenant = (char *)(uintptr_t)asking->tenant;
	item.network = (char *)(uintptr_t)asking->network;
	item.to = (char *)(uintptr_t)to;
	item.to_name = "b";
	request.node = (char *)(uintptr_t)from;
	request.n_items = 1;
	request.items = (Provision__HandOver *[]){ &item };
	step->call.tenant = CALL_FLEET;
	ASSERT_OK(step, ask(step, &provision__homes__descriptor, "HandOverHomes", &request.base,
				(const void **)&list));
	step->call.tenant = asking->tenant;
	return list;
}

Test(provision_homes, the_first_has_it_until_its_lease_is_over)
{
	AUTO_STEP step;
	struct asking asking = new_network(&step);

	check_home(hold(&step, NODE_A, &asking), NODE_A, 1);
	check_home(hold(&step, NODE_B, &asking), NODE_A, 1);
	check_home(hold(&step, NODE_A, &asking), NODE_A, 1);
	db_rows_destroy_at(&(struct db_rows *){ sql(&step, &lapse, PARAMS(asking.network)) });
	check_home(hold(&step, NODE_B, &asking), NODE_B, 2);
	check_home(hold(&step, NODE_A, &asking), NODE_B, 2);
}

Test(provision_homes, who_was_late_keeps_what_nobody_took)
{
	AUTO_STEP step;
	struct asking asking = new_network(&step);

	check_home(hold(&step, NODE_A, &asking), NODE_A, 1);
	db_rows_destroy_at(&(struct db_rows *){ sql(&step, &lapse, PARAMS(asking.network)) });
	check_home(hold(&step, NODE_A, &asking), NODE_A, 1);
}

/* That one node can't reach it does not take it from a home that lives. */
Test(provision_homes, a_dead_home_is_replaced_before_its_lease_ends)
{
	AUTO_STEP step;
	struct asking asking = new_network(&step);

	db_rows_destroy_at(&(struct db_rows *){ sql(&step, &live, PARAMS(NODE_A)) });
	check_home(hold(&step, NODE_A, &asking), NODE_A, 1);
	asking.unreachable = true;
	check_home(hold(&step, NODE_B, &asking), NODE_A, 1);
	db_rows_destroy_at(&(struct db_rows *){ sql(&step, &asleep, PARAMS(NODE_A)) });
	asking.unreachable = false;
	check_home(hold(&step, NODE_B, &asking), NODE_A, 1);
	asking.unreachable = true;
	check_home(hold(&step, NODE_B, &asking), NODE_B, 2);
}

Test(provision_homes, it_is_given_to_another_only_by_who_has_it)
{
	AUTO_STEP step;
	struct asking asking = new_network(&step);

	check_home(hold(&step, NODE_A, &asking), NODE_A, 1);
	check_home(hand_over(&step, &asking, NODE_B, NODE_B)->items[0], NODE_A, 1);
	check_home(hold(&step, NODE_B, &asking), NODE_A, 1);
	check_home(hand_over(&step, &asking, NODE_A, NODE_B)->items[0], NODE_B, 2);
	check_home(hold(&step, NODE_A, &asking), NODE_B, 2);
}

Test(provision_homes, it_is_given_to_whoever_comes)
{
	AUTO_STEP step;
	struct asking asking = new_network(&step);

	check_home(hold(&step, NODE_A, &asking), NODE_A, 1);
	check_home(hand_over(&step, &asking, NODE_A, "")->items[0], NODE_A, 1);
	check_home(hold(&step, NODE_B, &asking), NODE_B, 2);
}

/* As a node does whose first answer was lost: it hears whose the network is, and nothing changes,
 * whoever the heir would be now. */
Test(provision_homes, it_is_given_once)
{
	AUTO_STEP step;
	struct asking asking = new_network(&step);

	check_home(hold(&step, NODE_A, &asking), NODE_A, 1);
	for (int i = 0; i < 2; i++)
		check_home(hand_over(&step, &asking, NODE_A, NODE_B)->items[0], NODE_B, 2);
	check_home(hand_over(&step, &asking, NODE_A, "")->items[0], NODE_B, 2);
	check_home(hold(&step, NODE_A, &asking), NODE_B, 2);
	cr_assert_gt(hold(&step, NODE_A, &asking)->left_ms, 0);
}

/* A node that does not exist, for ever: the next one that asks has it. */
Test(provision_homes, a_row_edited_by_hand_is_mended)
{
	AUTO_STEP step;
	struct asking asking = new_network(&step);

	check_home(hold(&step, NODE_A, &asking), NODE_A, 1);
	db_rows_destroy_at(
		&(struct db_rows *){ sql(&step, &edit, PARAMS(asking.network, NOBODY)) });
	check_home(hold(&step, NODE_B, &asking), NODE_B, 2);
}

Test(provision_homes, no_home_for_what_is_no_network)
{
	AUTO_STEP step;
	struct asking asking = new_network(&step), other = asking;

	other.network = NOBODY;
	cr_assert_null(hold(&step, NODE_A, &other));
	other = asking;
	other.tenant = new_tenant(); /* whose network it is not */
	cr_assert_null(hold(&step, NODE_A, &other));
}

Test(provision_homes, what_is_malformed_is_refused)
{
	Provision__HoldHomesRequest request = PROVISION__HOLD_HOMES_REQUEST__INIT;
	const Provision__HomeList *list;
	AUTO_STEP step;

	step_open(&step, CALL_FLEET);
	request.node = "nobody";
	request.name = "a";
	ASSERT_REFUSED(&step,
		ask(&step, &provision__homes__descriptor, "HoldHomes", &request.base,
			(const void **)&list),
		ERR_INVALID_ARGUMENT, "node");
	request.node = NODE_A;
	request.name = "";
	ASSERT_REFUSED(&step,
		ask(&step, &provision__homes__descriptor, "HoldHomes", &request.base,
			(const void **)&list),
		ERR_INVALID_ARGUMENT, "name");
}
