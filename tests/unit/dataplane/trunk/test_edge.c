/*
 * What an edge knows of its ports' addresses by the home's word, and that it notices when it has
 * missed some of it. The trunk is not open, so what the edge asks for goes nowhere.
 */
#include "dataplane/trunk/edge.h"

#include "dataplane/switch/session_struct.h"

#include <criterion/criterion.h>
#include <string.h>

#define TENANT	"018f0000-0000-7000-8000-0000000000dd"
#define NETWORK "018f0000-0000-7000-8000-0000000000ee"
#define MAC(n)	(0x020000000000ULL + (uint64_t)(n))

static struct switch_ctx *ctx;
static struct trunk trunk;
static struct session one = { .number = 1, .id = "one", .token = "", .port.member = "one" },
		      two = { .number = 2, .id = "two", .token = "", .port.member = "two" };

static void attach(struct session *session)
{
	struct port *replaced;

	strcpy(session->tenant, TENANT);
	strcpy(session->network, NETWORK);
	cr_assert_eq(switch_attach(ctx, TENANT, NETWORK, &session->port, &replaced), OK);
}

static void setup(void)
{
	ctx = switch_create();
	edge_init(&trunk);
	attach(&one);
	switch_set_uplink(ctx, TENANT, NETWORK, &trunk.uplink);
	attach(&two);
}

static void teardown(void)
{
	switch_detach(ctx, &one.port);
	switch_detach(ctx, &two.port);
	cr_assert_null(trunk.carried);
	switch_destroy(ctx);
}

TestSuite(edge, .init = setup, .fini = teardown);

/* The home's next word: this address is the port's, or is not any more. */
static void tell(uint64_t sequence, bool all, uint32_t port, uint64_t mac, bool gone)
{
	Trunk__Station station = TRUNK__STATION__INIT, *items[] = { &station };
	Trunk__Stations message = TRUNK__STATIONS__INIT;

	station.port = port;
	station.mac = mac;
	station.gone = gone;
	message.sequence = sequence;
	message.all = all;
	message.n_items = 1;
	message.items = items;
	edge_stations(&trunk, &message);
}

/* What all comes to, as the home has it, with the number of the last word. */
static void tell_digest(uint64_t sequence, uint64_t sum)
{
	Trunk__Digest message = TRUNK__DIGEST__INIT;

	message.sequence = sequence;
	message.sum = sum;
	edge_digest(&trunk, &message);
}

static void add_one(void *context, uint64_t mac, int64_t seen_ms)
{
	uint64_t *sum = context;

	(void)seen_ms;
	*sum += mac;
}

/* The sum of a port's addresses. */
static uint64_t known(const struct session *session)
{
	uint64_t sum = 0;

	switch_visit_stations(&session->port, add_one, &sum);
	return sum;
}

Test(edge, addresses_come_and_go_by_the_homes_word)
{
	tell(1, false, 1, MAC(1), false);
	tell(2, false, 2, MAC(2), false);
	cr_expect_eq(known(&one), MAC(1));
	cr_expect_eq(known(&two), MAC(2));
	tell(3, false, 1, MAC(1), true);
	cr_expect_eq(known(&one), 0);
	tell(4, false, 3, MAC(3), false); /* a session that has gone meanwhile */
	cr_expect_not(trunk.resync);
}

Test(edge, a_word_that_was_missed_is_noticed_and_all_told_again)
{
	tell(1, false, 1, MAC(1), false);
	tell(3, false, 2, MAC(2), false);
	cr_expect(trunk.resync);
	cr_expect_eq(known(&two), 0, "what comes after a gap is not taken");
	tell(4, true, 2, MAC(3), false);
	cr_expect_not(trunk.resync);
	cr_expect_eq(known(&one), 0, "what was told before is void");
	cr_expect_eq(known(&two), MAC(3));
	tell(5, false, 1, MAC(4), false);
	cr_expect_eq(known(&one), MAC(4));
	cr_expect_not(trunk.resync);
}

Test(edge, another_digest_is_noticed)
{
	const uint64_t sum = trunk_sum(trunk_sum(0, 1, MAC(1)), 2, MAC(2));

	tell(1, false, 1, MAC(1), false);
	tell(2, false, 2, MAC(2), false);
	tell_digest(2, sum);
	cr_expect_not(trunk.resync);
	tell_digest(2, trunk_sum(sum, 2, MAC(3)));
	cr_expect(trunk.resync);
}

Test(edge, a_digest_of_what_was_never_heard_is_noticed)
{
	tell(1, false, 1, MAC(1), false);
	tell_digest(2, trunk_sum(0, 1, MAC(1)));
	cr_expect(trunk.resync);
}
