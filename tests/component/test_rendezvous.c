/* rendezvous for real: claims, pairs and what becomes of them. */
#include "tests/component/rendezvous_fixture.h"

#include <pthread.h>

#define CLAIMERS 50
#define RACES	 20

TestSuite(rendezvous, .init = setup, .fini = teardown, .timeout = 120);

SQL(count_closed_events,
	"SELECT count(*) AS n FROM fabric.event WHERE topic = 'pair' AND tenant_id = '" TENANT "'");

/* ---- the life of a pair ---- */

Test(rendezvous, two_claims_make_a_pair)
{
	struct claim first = claim_of("n", NODE_A, "1");
	struct claim again = claim_of("n", NODE_A, "1");
	struct claim second, third, elsewhere;

	cr_expect(waits(&first));
	cr_expect(waits(&again));
	cr_expect_str_eq(again.pair, first.pair);
	second = claim_of("n", NODE_B, "1");
	cr_expect(is_joined_with(&second, NODE_A, "1"));
	cr_expect_str_eq(second.pair, first.pair);
	again = claim_of("n", NODE_A, "1");
	cr_expect(is_joined_with(&again, NODE_B, "1"));
	again = claim_of("n", NODE_B, "1");
	cr_expect(is_joined_with(&again, NODE_A, "1"));
	third = claim_of("n", NODE_B, "2");
	cr_expect_eq(third.err, ERR_ALREADY_EXISTS);
	elsewhere = claim_as(OTHER_TENANT, "n", NODE_B, "2");
	cr_expect(waits(&elsewhere));
	elsewhere = claim_of("m", NODE_B, "2");
	cr_expect(waits(&elsewhere));
	elsewhere = claim_of("", NODE_B, "3");
	cr_expect(waits(&elsewhere));
}

Test(rendezvous, a_release_frees_token_and_nonce)
{
	struct claim first = claim_of("n", NODE_A, "1");
	struct claim second;
	char text[32];

	cr_expect_eq(release(first.pair, "not mine"), OK);
	cr_expect_eq(on_pair("GetPair", TENANT, first.pair, 0, text), OK);
	cr_expect_eq(release(first.pair, "1"), OK);
	cr_expect_eq(release(first.pair, "1"), OK);
	cr_expect_eq(on_pair("GetPair", TENANT, first.pair, 0, text), ERR_NOT_FOUND);
	first = claim_of("n", NODE_A, "1");
	second = claim_of("n", NODE_B, "2");
	cr_expect(is_joined_with(&second, NODE_A, "1"));
	cr_expect_eq(release(second.pair, "not mine"), OK);
	cr_expect_eq(on_pair("GetPair", TENANT, first.pair, 0, text), OK);
	cr_expect_str_eq(text, "joined 2");
	cr_expect_eq(release(second.pair, "2"), OK);
	cr_expect_eq(on_pair("GetPair", TENANT, first.pair, 0, text), OK);
	cr_expect_str_eq(text, "closed 3");
	second = claim_of("n", NODE_B, "2");
	cr_expect(waits(&second));
	cr_expect_str_neq(second.pair, first.pair);
	cr_expect_eq(fixture_sql(&fixture, &count_closed_events), 0);
}

Test(rendezvous, a_pair_is_closed_by_request)
{
	struct claim first = claim_of("n", NODE_A, "1");
	struct claim second = claim_of("n", NODE_B, "2");
	char text[32];

	cr_expect_eq(on_pair("ClosePair", OTHER_TENANT, first.pair, 0, text), ERR_NOT_FOUND);
	cr_expect_eq(on_pair("ClosePair", TENANT, FIXTURE_SELF, 0, text), ERR_NOT_FOUND);
	cr_expect_eq(on_pair("ClosePair", TENANT, first.pair, 1, text), ERR_FAILED_PRECONDITION);
	cr_expect_eq(fixture_sql(&fixture, &count_closed_events), 0);
	cr_expect_eq(on_pair("ClosePair", TENANT, first.pair, 2, text), OK);
	cr_expect_str_eq(text, "closed 3");
	cr_expect_eq(fixture_sql(&fixture, &count_closed_events), 1);
	cr_expect_eq(on_pair("ClosePair", TENANT, first.pair, 0, text), OK);
	cr_expect_str_eq(text, "closed 3");
	cr_expect_eq(fixture_sql(&fixture, &count_closed_events), 1);
	second = claim_of("n", NODE_B, "2");
	cr_expect(waits(&second));
	cr_expect_eq(on_pair("ClosePair", TENANT, second.pair, 0, text), OK);
	cr_expect_str_eq(text, "closed 2");
}

Test(rendezvous, a_list_shows_the_tenant_and_state_asked_for)
{
	claim_of("a", NODE_A, "1");
	claim_of("b", NODE_A, "2");
	claim_of("b", NODE_B, "3");
	claim_as(OTHER_TENANT, "c", NODE_A, "4");
	cr_expect_eq(count_pairs(TENANT, ""), 2);
	cr_expect_eq(count_pairs(TENANT, "waiting"), 1);
	cr_expect_eq(count_pairs(TENANT, "joined"), 1);
	cr_expect_eq(count_pairs(TENANT, "closed"), 0);
	cr_expect_eq(count_pairs(OTHER_TENANT, ""), 1);
}

/* ---- many at once ---- */

struct race {
	struct claim claims[CLAIMERS];
	char connections[CLAIMERS][8];
	pthread_barrier_t start;
};

struct racer {
	struct race *race;
	size_t i;
};

static void *run_racer(void *arg)
{
	struct racer *racer = arg;

	pthread_barrier_wait(&racer->race->start);
	run_claim(&racer->race->claims[racer->i], TENANT);
	return NULL;
}

static void run_race(struct race *race, const char *nonce)
{
	struct racer racers[CLAIMERS];
	pthread_t threads[CLAIMERS];

	pthread_barrier_init(&race->start, NULL, CLAIMERS);
	for (size_t i = 0; i < CLAIMERS; i++) {
		snprintf(race->connections[i], sizeof(race->connections[i]), "%zu", i);
		race->claims[i] = (struct claim){ .nonce = nonce,
			.node = i % 2 == 0 ? NODE_A : NODE_B,
			.connection = race->connections[i] };
		racers[i] = (struct racer){ race, i };
		cr_assert_eq(pthread_create(&threads[i], NULL, run_racer, &racers[i]), 0);
	}
	for (size_t i = 0; i < CLAIMERS; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&race->start);
}

static void judge_race(const struct race *race)
{
	const struct claim *first = NULL, *second = NULL;

	for (size_t i = 0; i < CLAIMERS; i++) {
		const struct claim *claim = &race->claims[i];

		if (claim->err == OK && strcmp(claim->state, "waiting") == 0) {
			cr_expect_null(first, "two are the first");
			first = claim;
		} else if (claim->err == OK) {
			cr_expect_null(second, "two are the second");
			second = claim;
		} else {
			cr_expect_eq(claim->err, ERR_ALREADY_EXISTS, "%s", err_name(claim->err));
		}
	}
	cr_assert(first != NULL && second != NULL);
	cr_expect(is_joined_with(second, first->node, first->connection));
	cr_expect_str_eq(first->pair, second->pair);
}

/* Each is answered as if it had come alone, also those of one pair. */
Test(rendezvous, claims_of_one_call_meet_each_other_and_others)
{
	struct claim early = claim_of("early", NODE_B, "0");
	struct claim claims[] = {
		{ .nonce = "n", .node = NODE_A, .connection = "1" },
		{ .nonce = "early", .connection = "2" },
		{ .nonce = "n", .connection = "3" },
		{ .nonce = "n", .connection = "4" },
		{ .nonce = "alone", .connection = "5" },
		{ .nonce = "", .connection = "6" },
		{ .nonce = "bad\n", .connection = "7" },
	};
	char text[32];

	run_claims(claims, ARRAY_LEN(claims), TENANT);
	cr_expect(waits(&claims[0]));
	cr_expect(is_joined_with(&claims[1], NODE_B, "0"));
	cr_expect_str_eq(claims[1].pair, early.pair);
	cr_expect(is_joined_with(&claims[2], NODE_A, "1"));
	cr_expect_str_eq(claims[2].pair, claims[0].pair);
	cr_expect_eq(claims[3].err, ERR_ALREADY_EXISTS);
	cr_expect(waits(&claims[4]));
	cr_expect(waits(&claims[5]));
	cr_expect_eq(claims[6].err, ERR_INVALID_ARGUMENT);
	cr_expect_eq(on_pair("GetPair", TENANT, claims[0].pair, 0, text), OK);
	cr_expect_str_eq(text, "joined 2");
	run_claims(claims, 2, TENANT);
	cr_expect(is_joined_with(&claims[0], NODE_A, "3"));
	cr_expect(is_joined_with(&claims[1], NODE_B, "0"));
}

Test(rendezvous, of_fifty_claims_two_are_joined)
{
	static struct race race;
	char nonce[16];

	for (int i = 0; i < RACES; i++) {
		snprintf(nonce, sizeof(nonce), "race %d", i);
		run_race(&race, nonce);
		judge_race(&race);
	}
	cr_expect_eq(count_pairs(TENANT, "joined"), RACES);
	cr_expect_eq(count_pairs(TENANT, ""), RACES);
}

/* ---- what ends by itself ---- */

Test(rendezvous, a_claim_of_a_node_that_is_gone_is_taken_over)
{
	struct claim gone = claim_of("n", NODE_GONE, "1");
	struct claim first, second;

	cr_expect(waits(&gone));
	first = claim_of("n", NODE_A, "1");
	cr_expect(waits(&first));
	cr_expect_str_neq(first.pair, gone.pair);
	cr_expect_eq(fixture_sql(&fixture, &count_closed_events), 1);
	second = claim_of("n", NODE_GONE, "2");
	cr_expect(is_joined_with(&second, NODE_A, "1"));
	first = claim_of("n", NODE_B, "3");
	cr_expect(waits(&first), "a pair with a node that is gone is no reason to refuse");
}

SQL(age_waiting, "UPDATE rendezvous.pair SET announced_at = now() - interval '61 seconds'");
SQL(age_closed, "UPDATE rendezvous.pair SET closed_at = now() - interval '61 minutes'"
		" WHERE state = 'closed' AND nonce = 'old'");
SQL(count_live, "SELECT count(*) AS n FROM rendezvous.pair WHERE state <> 'closed'");
SQL(count_old, "SELECT count(*) AS n FROM rendezvous.pair WHERE nonce = 'old'");
SQL(count_all, "SELECT count(*) AS n FROM rendezvous.pair");

Test(rendezvous, a_pair_that_waits_too_long_is_removed)
{
	struct claim first = claim_of("n", NODE_A, "1");
	struct claim second;

	fixture_sql(&fixture, &age_waiting);
	second = claim_of("n", NODE_B, "2");
	cr_expect(waits(&second), "nobody is joined with a client that has given up");
	cr_expect_str_neq(second.pair, first.pair);
	fixture_sql(&fixture, &age_waiting);
	AWAIT(fixture_sql(&fixture, &count_all) == 0);
	cr_expect_eq(fixture_sql(&fixture, &count_closed_events), 2);
}

Test(rendezvous, old_and_abandoned_pairs_are_cleared_up)
{
	struct claim old = claim_of("old", NODE_A, "1");
	struct claim fresh = claim_of("fresh", NODE_A, "2");
	char text[32];

	cr_expect_eq(on_pair("ClosePair", TENANT, old.pair, 0, text), OK);
	cr_expect_eq(on_pair("ClosePair", TENANT, fresh.pair, 0, text), OK);
	fixture_sql(&fixture, &age_closed);
	claim_of("n", NODE_A, "3");
	claim_of("n", NODE_GONE, "4");
	AWAIT(fixture_sql(&fixture, &count_old) == 0);
	AWAIT(fixture_sql(&fixture, &count_live) == 0);
	cr_expect_eq(fixture_sql(&fixture, &count_all), 2, "closed within the hour: kept");
}

SQL(fill, "INSERT INTO rendezvous.pair (tenant_id, token_id, nonce, first_node, first_connection)"
	  " SELECT '" TENANT "', 'filler' || i % 20, i, '" NODE_A
	  "', i FROM generate_series(1, 9999) i");

Test(rendezvous, a_tenant_has_ten_thousand_waiting_pairs_at_most)
{
	struct claim last, more;

	fixture_sql(&fixture, &fill);
	last = claim_of("last", NODE_A, "a");
	cr_expect(waits(&last));
	more = claim_of("more", NODE_A, "b");
	cr_expect_eq(more.err, ERR_RESOURCE_EXHAUSTED);
	more = claim_as(OTHER_TENANT, "more", NODE_A, "b");
	cr_expect(waits(&more));
	more = claim_of("last", NODE_B, "c");
	cr_expect(is_joined_with(&more, NODE_A, "a"), "who makes a pair is let in");
	more = claim_of("more", NODE_A, "b");
	cr_expect(waits(&more));
}

SQL(fill_token, "INSERT INTO rendezvous.pair (tenant_id, token_id, nonce, first_node,"
		" first_connection) SELECT '" TENANT "', '" TOKEN "', i, '" NODE_A
		"', i FROM generate_series(1, 999) i");

Test(rendezvous, a_token_has_a_thousand_live_pairs_at_most)
{
	struct claim last, more;

	fixture_sql(&fixture, &fill_token);
	last = claim_of("last", NODE_A, "a");
	cr_expect(waits(&last));
	more = claim_of("more", NODE_A, "b");
	cr_expect_eq(more.err, ERR_RESOURCE_EXHAUSTED);
	more = claim_of("last", NODE_B, "c");
	cr_expect(is_joined_with(&more, NODE_A, "a"), "who makes a pair is let in");
}

/* ---- who waits says so again ---- */

SQL(age_a_little, "UPDATE rendezvous.pair SET announced_at = now() - interval '50 seconds',"
		  " created_at = now() - interval '1 hour'");
SQL(seconds_unannounced, "SELECT extract(epoch FROM now() - announced_at)::int AS n"
			 " FROM rendezvous.pair");

Test(rendezvous, a_client_that_claims_again_may_wait_for_long)
{
	struct claim first = claim_of("n", NODE_A, "1");
	struct claim again, second;

	fixture_sql(&fixture, &age_a_little);
	again = claim_of("n", NODE_A, "1");
	cr_expect(waits(&again));
	cr_expect_str_eq(again.pair, first.pair);
	cr_expect_lt(fixture_sql(&fixture, &seconds_unannounced), 40);
	second = claim_of("n", NODE_B, "2");
	cr_expect(is_joined_with(&second, NODE_A, "1"));
}

/* ---- what the pairs have carried ---- */

SQL(pair_bytes, "SELECT bytes AS n FROM rendezvous.pair");
SQL(traffic_bytes, "SELECT bytes AS n FROM rendezvous.traffic WHERE tenant_id = '" TENANT "'");
SQL(traffic_connections,
	"SELECT connections AS n FROM rendezvous.traffic WHERE tenant_id = '" TENANT "'");

Test(rendezvous, bytes_are_counted_by_pair_and_tenant)
{
	Rendezvous__TrafficRequest request = RENDEZVOUS__TRAFFIC_REQUEST__INIT;
	struct claim first = claim_of("n", NODE_A, "1");
	const Rendezvous__TrafficList *list;
	const ProtobufCMessage *reply;
	struct call call;

	claim_of("n", NODE_B, "2");
	cr_expect_eq(release_after(first.pair, "other", 7), OK);
	cr_expect_eq(fixture_sql(&fixture, &traffic_connections), 0, "not of this pair");
	cr_expect_eq(release_after(first.pair, "1", 5000000000), OK);
	cr_expect_eq(release_after(first.pair, "2", 70), OK);
	cr_expect_eq(fixture_sql(&fixture, &pair_bytes), 5000000070);
	cr_expect_eq(fixture_sql(&fixture, &traffic_bytes), 5000000070);
	cr_expect_eq(fixture_sql(&fixture, &traffic_connections), 2);
	cr_assert_eq(fixture_call(&fixture, &call, TENANT, &rendezvous__rendezvous__descriptor,
			     "ListTraffic", &request.base, &reply),
		OK, "%s", call.fault.detail);
	list = (const Rendezvous__TrafficList *)reply;
	cr_assert_eq(list->n_items, 1);
	cr_expect_eq(list->items[0]->bytes, 5000000070);
	call_finish(&call);
	cr_assert_eq(
		fixture_call(&fixture, &call, OTHER_TENANT, &rendezvous__rendezvous__descriptor,
			"ListTraffic", &request.base, &reply),
		OK);
	cr_expect_eq(((const Rendezvous__TrafficList *)reply)->n_items, 0);
	call_finish(&call);
}

Test(rendezvous, bytes_of_a_pair_that_lives_are_counted_once)
{
	struct claim first = claim_of("n", NODE_A, "1");
	char text[32];

	cr_expect_eq(tell_bytes("Count", first.pair, "1", 9), OK, "it waits: nothing to count");
	cr_expect_eq(fixture_sql(&fixture, &pair_bytes), 0);
	claim_of("n", NODE_B, "2");
	for (int again = 0; again < 2; again++) {
		cr_expect_eq(tell_bytes("Count", first.pair, "1", 5000000000), OK);
		cr_expect_eq(tell_bytes("Count", first.pair, "2", 60), OK);
	}
	cr_expect_eq(tell_bytes("Count", first.pair, "1", 10), OK, "late");
	cr_expect_eq(tell_bytes("Count", first.pair, "other", 7), OK, "not of this pair");
	cr_expect_eq(fixture_sql(&fixture, &pair_bytes), 5000000060);
	cr_expect_eq(fixture_sql(&fixture, &traffic_bytes), 5000000060);
	cr_expect_eq(fixture_sql(&fixture, &traffic_connections), 0, "none has ended");
	cr_expect_eq(on_pair("GetPair", TENANT, first.pair, 0, text), OK);
	cr_expect_str_eq(text, "joined 2");
	cr_expect_eq(release_after(first.pair, "1", 5000000001), OK);
	cr_expect_eq(release_after(first.pair, "2", 70), OK);
	cr_expect_eq(fixture_sql(&fixture, &pair_bytes), 5000000071);
	cr_expect_eq(fixture_sql(&fixture, &traffic_bytes), 5000000071);
	cr_expect_eq(fixture_sql(&fixture, &traffic_connections), 2);
}

/* ---- a node that has no heartbeat yet ---- */

#define NODE_NEW "018f0000-0000-4000-8000-00000000000d"

SQL(age_all, "UPDATE rendezvous.pair SET announced_at = now() - interval '11 seconds',"
	     " joined_at = now() - interval '11 seconds'");

Test(rendezvous, a_node_is_believed_before_its_first_heartbeat)
{
	struct claim first = claim_of("n", NODE_NEW, "1");
	struct claim second = claim_of("n", NODE_NEW, "2");
	struct claim third = claim_of("n", NODE_A, "3");

	cr_expect(waits(&first));
	cr_expect(is_joined_with(&second, NODE_NEW, "1"));
	cr_expect_eq(third.err, ERR_ALREADY_EXISTS);
	cr_expect_eq(fixture_sql(&fixture, &count_closed_events), 0);
	fixture_sql(&fixture, &age_all);
	third = claim_of("n", NODE_A, "3");
	cr_expect(waits(&third), "but not for long");
}
