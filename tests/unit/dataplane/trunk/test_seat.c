/*
 * What an edge may claim for its sessions at the home of their network: what their tokens say, and
 * no more. The trunk is not open, so what the home tells it goes nowhere.
 */
#include "dataplane/dataplane.h"
#include "dataplane/switch/frame.h"
#include "dataplane/trunk/places.h"
#include "dataplane/trunk/seat.h"
#include "lib/mem.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define SELF	"018f0000-0000-7000-8000-000000000001"
#define EDGE	"018f0000-0000-7000-8000-000000000002"
#define TENANT	"018f0000-0000-7000-8000-0000000000dd"
#define NETWORK "018f0000-0000-7000-8000-0000000000ee"
#define OTHER	"018f0000-0000-7000-8000-0000000000ef"
#define MAC(n)	(0x020000000000ULL + (uint64_t)(n))

static struct dataplane node = { .instance = SELF };
static struct trunks trunks = { .dataplane = &node, .closing = true }; /* asks nobody */
static struct trunk trunk = { .trunks = &trunks, .node = EDGE };
static char *private_jwk, *false_jwk;
static int got; /* frames for the member that is here */

static void deliver(struct port *port, struct packet *frame)
{
	(void)port;
	(void)frame;
	got++;
}

static struct token_keys *new_keys(const char *kid, char **secret)
{
	struct token_keys *keys;
	char *public_jwk, *set;

	cr_assert_eq(token_key_generate(kid, secret, &public_jwk), OK);
	set = xasprintf("{\"keys\":[%s]}", public_jwk);
	cr_assert_eq(token_keys_create(&keys, set), OK);
	free(set);
	free(public_jwk);
	return keys;
}

static struct port here = { .member = "here", .mac = MAC(99), .deliver = deliver };

static void setup(void)
{
	Trunk__Moved moved = TRUNK__MOVED__INIT;
	struct port *replaced;

	node.verifier = verifier_create("lanyard");
	token_keys_destroy(new_keys("one", &false_jwk));
	verifier_set_keys(node.verifier, new_keys("one", &private_jwk));
	node.sessions = sessions_create();
	trunks.places = places_create(&trunks);
	places_session(trunks.places, TENANT, NETWORK, 1);
	moved.tenant = TENANT;
	moved.network = NETWORK;
	moved.node = SELF;
	moved.name = "self";
	moved.epoch = 1;
	places_moved(trunks.places, &moved);
	cr_assert_eq(
		switch_attach(sessions_switch(node.sessions), TENANT, NETWORK, &here, &replaced),
		OK);
}

static void teardown(void)
{
	seats_end_all(&trunk);
	switch_detach(sessions_switch(node.sessions), &here);
	places_destroy(trunks.places);
	sessions_destroy(node.sessions);
	verifier_destroy(node.verifier);
	free(private_jwk);
	free(false_jwk);
	packet_trim();
}

TestSuite(seat, .init = setup, .fini = teardown);

static char *sign(const char *jwk, const char *network, const char *member, const char *mac)
{
	struct token_claims claims = {
		.id = "018f0000-0000-7000-8000-0000000000cc",
		.tenant = TENANT,
		.subject = "device:018f0000-0000-7000-8000-0000000000aa",
		.role = "device",
		.n_scopes = 1,
		.scopes = { "network:attach" },
		.mac_limit = 1,
		.issued_at = 1700000000, /* long ago: the session lives on */
		.expires_at = 1700000600,
	};
	char *token;

	snprintf(claims.network, sizeof(claims.network), "%s", network);
	snprintf(claims.member, sizeof(claims.member), "%s", member);
	snprintf(claims.mac, sizeof(claims.mac), "%s", mac);
	cr_assert_eq(token_sign(jwk, "lanyard", &claims, &token), OK);
	return token;
}

/* Has the session a seat now? */
static bool joins(uint32_t number, const char *token, uint64_t mac)
{
	Trunk__Join join = TRUNK__JOIN__INIT;

	join.port = number;
	join.session = "018f0000-0000-7000-8000-00000000000f";
	join.token = (char *)(uintptr_t)token;
	join.mac = mac;
	seat_join(&trunk, &join);
	return seats_count(&trunk, TENANT, NETWORK) == 1;
}

static void check_joins(
	const char *jwk, const char *network, const char *mac, uint64_t chosen, bool want)
{
	char *token = sign(jwk, network, "018f0000-0000-7000-8000-0000000000b1", mac);

	cr_assert_eq(joins(1, token, chosen), want);
	free(token);
}

Test(seat, a_session_has_one_by_its_token)
{
	check_joins(private_jwk, NETWORK, "02:00:00:00:00:01", 0, true);
}

Test(seat, an_address_may_be_chosen_where_the_token_leaves_it_open)
{
	check_joins(private_jwk, NETWORK, "", MAC(7), true);
}

Test(seat, a_token_that_auth_did_not_sign_gives_none)
{
	check_joins(false_jwk, NETWORK, "02:00:00:00:00:01", 0, false);
}

Test(seat, garbage_for_a_token_gives_none)
{
	cr_assert_not(joins(1, "", 0));
	cr_assert_not(joins(1, "a.b.c", 0));
}

Test(seat, another_address_than_the_tokens_gives_none)
{
	check_joins(private_jwk, NETWORK, "02:00:00:00:00:01", MAC(2), false);
}

Test(seat, an_address_that_a_member_has_gives_none)
{
	check_joins(private_jwk, NETWORK, "02:00:00:00:00:63", 0, false);
}

Test(seat, a_network_whose_home_is_elsewhere_gives_none)
{
	char *token = sign(
		private_jwk, OTHER, "018f0000-0000-7000-8000-0000000000b1", "02:00:00:00:00:01");

	cr_assert_not(joins(1, token, 0));
	cr_assert_eq(seats_count(&trunk, TENANT, OTHER), 0);
	free(token);
}

Test(seat, a_revoked_subject_has_none)
{
	verifier_revoke(node.verifier, "device:018f0000-0000-7000-8000-0000000000aa", 1800000000,
		1700000000);
	check_joins(private_jwk, NETWORK, "02:00:00:00:00:01", 0, false);
}

static void send_up(uint32_t number, uint64_t source)
{
	struct packet *frame = packet_new(60);

	memset(frame->data, 0, 60);
	frame_mac_write(MAC(99), frame->data);
	frame_mac_write(source, frame->data + 6);
	frame->data[12] = 0x88;
	frame->data[13] = 0xb5;
	frame->len = 60;
	seat_frame(&trunk, number, frame);
	packet_unref(frame);
}

/* The edge says that these frames are its session's. */
Test(seat, only_frames_with_the_members_address_pass)
{
	check_joins(private_jwk, NETWORK, "02:00:00:00:00:01", 0, true);
	send_up(1, MAC(1));
	cr_assert_eq(got, 1);
	send_up(1, MAC(2));
	send_up(1, MAC(99));
	send_up(1, 0xffffffffffffULL);
	send_up(2, MAC(1)); /* a session that never joined */
	cr_assert_eq(got, 1);
}

/* The home has changed while the member moved: its earlier session may come to the next home later
 * than the one that took its place. */
Test(seat, a_session_that_comes_again_takes_the_place_of_none_that_began_later)
{
	char *token = sign(
		private_jwk, NETWORK, "018f0000-0000-7000-8000-0000000000b1", "02:00:00:00:00:01");
	Trunk__Join join = TRUNK__JOIN__INIT;

	join.session = "018f0000-0000-7000-8000-00000000000f";
	join.token = token;
	join.port = 1;
	join.began_ms = 2000;
	seat_join(&trunk, &join);
	join.port = 2;
	join.began_ms = 1000;
	join.again = true;
	seat_join(&trunk, &join);
	send_up(2, MAC(1));
	cr_assert_eq(got, 0);
	send_up(1, MAC(1));
	cr_assert_eq(got, 1);
	join.port = 3;
	join.again = false; /* whatever the clock of its node says, it has come just now */
	seat_join(&trunk, &join);
	send_up(1, MAC(1));
	cr_assert_eq(got, 1);
	send_up(3, MAC(1));
	cr_assert_eq(got, 2);
	free(token);
}

Test(seat, a_session_that_leaves_has_none)
{
	check_joins(private_jwk, NETWORK, "02:00:00:00:00:01", 0, true);
	seat_leave(&trunk, 2);
	cr_assert_eq(seats_count(&trunk, TENANT, NETWORK), 1);
	seat_leave(&trunk, 1);
	cr_assert_eq(seats_count(&trunk, TENANT, NETWORK), 0);
	send_up(1, MAC(1));
	cr_assert_eq(got, 0);
}

/* Ends authority at once: what the edges had here is void. */
Test(seat, a_home_with_a_higher_epoch_takes_all_seats)
{
	Trunk__Moved moved = TRUNK__MOVED__INIT;

	check_joins(private_jwk, NETWORK, "02:00:00:00:00:01", 0, true);
	moved.tenant = TENANT;
	moved.network = NETWORK;
	moved.node = EDGE;
	moved.name = "edge";
	moved.epoch = 1;
	trunks.by_node = NULL;
	HASH_ADD_STR(trunks.by_node, node, (struct trunk *)&trunk);
	places_moved(trunks.places, &moved); /* not higher */
	cr_assert_eq(seats_count(&trunk, TENANT, NETWORK), 1);
	moved.epoch = 2;
	places_moved(trunks.places, &moved);
	cr_assert_eq(seats_count(&trunk, TENANT, NETWORK), 0);
	HASH_CLEAR(hh, trunks.by_node);
}

Test(seat, the_sum_of_addresses_is_the_same_in_any_order)
{
	uint64_t sum = trunk_sum(trunk_sum(0, 1, MAC(1)), 2, MAC(2));

	cr_assert_eq(sum, trunk_sum(trunk_sum(0, 2, MAC(2)), 1, MAC(1)));
	cr_assert_neq(sum, trunk_sum(trunk_sum(0, 1, MAC(2)), 2, MAC(1)));
	cr_assert_neq(sum, trunk_sum(0, 1, MAC(1)));
}
