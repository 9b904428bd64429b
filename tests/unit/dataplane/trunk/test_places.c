/*
 * How long a session waits for the home of its network: until the node is the home or its edge, or
 * knows that it can't be yet. The node asks nobody here; what it hears is told to it.
 */
#include "dataplane/dataplane.h"
#include "dataplane/trunk/places.h"

#include <criterion/criterion.h>

#define SELF	"018f0000-0000-7000-8000-000000000001"
#define OTHER	"018f0000-0000-7000-8000-000000000002"
#define TENANT	"018f0000-0000-7000-8000-0000000000dd"
#define NETWORK "018f0000-0000-7000-8000-0000000000ee"
#define ANOTHER "018f0000-0000-7000-8000-0000000000ef"

static struct dataplane node = { .instance = SELF };
static struct trunks trunks = { .dataplane = &node, .closing = true }; /* asks nobody */
static struct trunk trunk = { .trunks = &trunks, .node = OTHER };
static int n_over;

static void on_over(struct home_wait *wait)
{
	(void)wait;
	n_over++;
}

static struct home_wait first = { .over = on_over }, second = { .over = on_over };

static void setup(void)
{
	node.sessions = sessions_create();
	trunks.places = places_create(&trunks);
	HASH_ADD_STR(trunks.by_node, node, &trunk);
}

static void teardown(void)
{
	places_destroy(trunks.places);
	HASH_DELETE(hh, trunks.by_node, &trunk);
	sessions_destroy(node.sessions);
}

TestSuite(places, .init = setup, .fini = teardown);

static bool waits(struct home_wait *wait)
{
	return places_await(trunks.places, TENANT, NETWORK, wait);
}

static void hear(const char *network, const char *home, int64_t epoch)
{
	Trunk__Moved moved = TRUNK__MOVED__INIT;

	moved.tenant = TENANT;
	moved.network = (char *)(uintptr_t)network;
	moved.node = (char *)(uintptr_t)home;
	moved.name = "name";
	moved.epoch = epoch;
	places_moved(trunks.places, &moved);
}

static void open_trunk(void)
{
	trunk.state = TRUNK_OPEN;
	places_trunk_opened(trunks.places, &trunk);
}

static void lose_trunk(void)
{
	trunk.state = TRUNK_IDLE;
	places_trunk_lost(trunks.places, OTHER);
}

Test(places, all_wait_until_the_node_is_the_home)
{
	cr_assert(waits(&first));
	cr_assert(waits(&second));
	hear(ANOTHER, SELF, 1);
	cr_assert_eq(n_over, 0);
	hear(NETWORK, SELF, 1);
	cr_assert_eq(n_over, 2);
}

Test(places, nobody_waits_at_the_home)
{
	waits(&first);
	hear(NETWORK, SELF, 1);
	cr_assert_not(waits(&second));
	cr_assert_eq(n_over, 1);
}

Test(places, at_an_edge_the_trunk_is_waited_for)
{
	cr_assert(waits(&first));
	hear(NETWORK, OTHER, 1);
	cr_assert_eq(n_over, 0);
	open_trunk();
	cr_assert_eq(n_over, 1);
	cr_assert_not(waits(&second));
}

Test(places, a_home_that_can_not_be_reached_is_not_waited_for)
{
	waits(&first);
	hear(NETWORK, OTHER, 1);
	lose_trunk();
	cr_assert_eq(n_over, 1);
	cr_assert_not(waits(&second));
}

Test(places, another_home_is_waited_for_anew)
{
	waits(&first);
	hear(NETWORK, OTHER, 1);
	lose_trunk();
	hear(NETWORK, "018f0000-0000-7000-8000-000000000003", 2);
	cr_assert(waits(&second));
	hear(NETWORK, OTHER, 1); /* late news */
	cr_assert_eq(n_over, 1);
	hear(NETWORK, SELF, 3);
	cr_assert_eq(n_over, 2);
}

Test(places, the_end_ends_all_waits)
{
	waits(&first);
	places_destroy(trunks.places);
	trunks.places = NULL;
	cr_assert_eq(n_over, 1);
}
