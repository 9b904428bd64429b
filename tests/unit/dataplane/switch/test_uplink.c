/* A network whose home is another node: who joins there, which frames go there, and which need not.
 */
#include "tests/unit/dataplane/network.h"

#include "lib/mem.h"

/* The home, as the switch sees it. */
struct fake_home {
	struct uplink uplink; /* first */
	int joined, again, left, frames;
};

static struct fake_home home;

static void join(struct uplink *uplink, struct port *port, bool again)
{
	(void)port;
	((struct fake_home *)uplink)->joined++;
	((struct fake_home *)uplink)->again += again;
}

static void leave(struct uplink *uplink, struct port *port)
{
	(void)port;
	((struct fake_home *)uplink)->left++;
}

static enum drop forward(struct uplink *uplink, struct port *from, struct packet *frame)
{
	(void)from;
	(void)frame;
	((struct fake_home *)uplink)->frames++;
	return DROP_NONE;
}

static void open_away(void)
{
	network_open();
	home = (struct fake_home){ .uplink = { join, leave, forward } };
	network_attach(0);
	network_attach(1);
	switch_set_uplink(ctx, "tenant", "network", &home.uplink);
}

static void set_home(struct uplink *uplink)
{
	switch_set_uplink(ctx, "tenant", "network", uplink);
}

TestSuite(uplink, .init = open_away, .fini = network_close);

Test(uplink, all_ports_join_and_those_that_come_later)
{
	cr_assert_eq(home.joined, 2);
	network_attach(2);
	cr_assert_eq(home.joined, 3);
	cr_assert_eq(home.again, 2);
	switch_detach(ctx, &taps[2].port);
	cr_assert_eq(home.left, 1);
}

Test(uplink, frames_go_to_the_home_until_it_has_told_of_both_addresses)
{
	cr_assert_eq(send_frame(0, MAC(1), MAC(0)), DROP_NONE);
	cr_assert_eq(home.frames, 1);
	switch_put_station(&taps[0].port, MAC(0), true);
	cr_assert_eq(send_frame(0, MAC(1), MAC(0)), DROP_NONE);
	cr_assert_eq(home.frames, 2);
	switch_put_station(&taps[1].port, MAC(1), true);
	cr_assert_eq(send_frame(0, MAC(1), MAC(0)), DROP_NONE);
	cr_assert_str_eq(who_got(), "1 ");
	cr_assert_eq(home.frames, 2);
}

/* All that is new to it, or for many, or that guards look at, is the home's to decide. */
Test(uplink, the_home_sees_what_it_has_to_decide)
{
	const struct {
		int from;
		uint64_t destination, source;
	} rows[] = {
		{ 0, FRAME_BROADCAST, MAC(0) },
		{ 0, 0x01005e0000fbULL, MAC(0) },
		{ 0, MAC(7), MAC(0) },
		{ 0, MAC(1), MAC(6) },
		{ 0, MAC(1), MAC(1) },
		{ 1, MAC(0), MAC(0) },
		{ 0, MAC(0), MAC(0) },
	};
	uint8_t arp[60] = { [12] = 0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 2 };

	switch_put_station(&taps[0].port, MAC(0), true);
	switch_put_station(&taps[1].port, MAC(1), true);
	for (size_t row = 0; row < ARRAY_LEN(rows); row++) {
		cr_assert_eq(send_frame(rows[row].from, rows[row].destination, rows[row].source),
			DROP_NONE);
		cr_assert_eq(home.frames, (int)row + 1, "row %zu", row);
		cr_assert_str_eq(who_got(), "", "row %zu", row);
	}
	frame_mac_write(MAC(1), arp);
	frame_mac_write(MAC(0), arp + 6);
	cr_assert_eq(send_bytes(0, arp, sizeof(arp)), DROP_NONE);
	cr_assert_eq(home.frames, (int)ARRAY_LEN(rows) + 1);
}

Test(uplink, learned_addresses_move_and_go_as_the_home_tells)
{
	switch_put_station(&taps[0].port, MAC(5), false);
	cr_assert_eq(switch_count_stations(&taps[0].port, time_ms), 2); /* with its own */
	switch_put_station(&taps[1].port, MAC(5), false);
	cr_assert_eq(switch_count_stations(&taps[0].port, time_ms), 1);
	cr_assert_eq(switch_count_stations(&taps[1].port, time_ms), 2);
	switch_drop_station(&taps[0].port, MAC(5)); /* not its any more */
	cr_assert_eq(switch_count_stations(&taps[1].port, time_ms), 2);
	switch_drop_station(&taps[1].port, MAC(5));
	cr_assert_eq(switch_count_stations(&taps[1].port, time_ms), 1);
	/* Those do not age here: the home would not know. */
	switch_put_station(&taps[1].port, MAC(5), false);
	cr_assert_eq(switch_count_stations(&taps[1].port, time_ms + 1000000), 2);
}

Test(uplink, isolated_ports_reach_each_other_nowhere)
{
	taps[0].port.policy.isolated = taps[1].port.policy.isolated = true;
	switch_put_station(&taps[0].port, MAC(0), true);
	switch_put_station(&taps[1].port, MAC(1), true);
	cr_assert_eq(send_frame(0, MAC(1), MAC(0)), DROP_POLICY);
	cr_assert_eq(home.frames, 0);
}

Test(uplink, a_port_that_is_held_down_is_the_homes)
{
	switch_put_station(&taps[0].port, MAC(0), true);
	switch_put_station(&taps[1].port, MAC(1), true);
	switch_hold(&taps[1].port, time_ms + 1000);
	cr_assert_eq(send_frame(0, MAC(1), MAC(0)), DROP_LOOP);
	switch_hold(&taps[0].port, time_ms + 1000);
	cr_assert_eq(send_frame(0, MAC(1), MAC(0)), DROP_NONE);
	cr_assert_eq(home.frames, 1);
}

Test(uplink, without_a_home_the_node_decides_again)
{
	switch_put_station(&taps[0].port, MAC(5), false);
	set_home(NULL);
	cr_assert_eq(home.left, 2);
	cr_assert_eq(send_frame(0, MAC(1), MAC(0)), DROP_NONE);
	cr_assert_str_eq(who_got(), "1 ");
	cr_assert_eq(send_frame(1, MAC(5), MAC(1)), DROP_DESTINATION); /* what was told is void */
	cr_assert_eq(home.frames, 0);
}

/* Both waited for the home's word on who may have it. */
Test(uplink, of_two_ports_with_one_address_one_is_evicted)
{
	cr_assert_eq(network_attach_as(2, "third", MAC(0), &(const struct port_policy){ 0 }), OK);
	set_home(NULL);
	cr_assert_str_eq(evicted, SWITCH_TAKEN);
	cr_assert_eq(taps[0].port.domain != NULL, taps[2].port.domain == NULL);
}

Test(uplink, another_home_takes_the_place_of_the_one_before)
{
	struct fake_home other = { .uplink = { join, leave, forward } };

	set_home(&other.uplink);
	cr_assert_eq(home.left, 2);
	cr_assert_eq(other.joined, 2);
	cr_assert_eq(send_frame(0, MAC(1), MAC(0)), DROP_NONE);
	cr_assert_eq(other.frames, 1);
	set_home(NULL);
}
