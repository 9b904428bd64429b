/*
 * learn: which addresses a port may send with, for how long, who may take them over, and when a
 * port is held down. The rules are those of vpn-ws where it has any, without its defects: addresses
 * that nobody can take, ageing, and moves.
 */
#include "tests/unit/dataplane/network.h"

#include "dataplane/switch/learn.h"

#include <time.h>

TestSuite(learn, .init = network_open, .fini = network_close);

#define BRIDGE .bridge = true, .mac_limit = 4

Test(learn, a_plain_port_sends_with_its_own_address_only)
{
	network_attach(0, .mac_limit = 1);
	network_attach(1, .mac_limit = 1);
	cr_assert_eq(send_frame(0, MAC(1), MAC(0)), DROP_NONE);
	cr_assert_eq(send_frame(0, MAC(1), MAC(50)), DROP_SOURCE);
	cr_assert_eq(send_frame(0, MAC(1), MAC(1)), DROP_SOURCE);
	cr_assert_eq(send_frame(0, MAC(1), 0), DROP_SOURCE);
	cr_assert_eq(send_frame(0, MAC(1), FRAME_BROADCAST), DROP_SOURCE);
	cr_assert_eq(send_frame(0, MAC(1), 0x01005e000001), DROP_SOURCE);
	cr_assert_eq(n_notices[SWITCH_STATION_REFUSED], 2);
}

Test(learn, the_first_frame_names_a_port_that_has_no_address)
{
	network_attach(0, .mac_limit = 1);
	cr_assert_eq(network_attach_as(1, "m1", 0, &(struct port_policy){ .mac_limit = 1 }), OK);

	/* Until then it gets nothing at all. */
	cr_assert_eq(send_frame(0, FRAME_BROADCAST, MAC(0)), DROP_NONE);
	cr_assert_str_eq(who_got(), "");
	cr_assert_eq(send_frame(1, MAC(0), MAC(0)), DROP_SOURCE);
	cr_assert_eq(taps[1].port.mac, 0);
	cr_assert_eq(send_frame(1, MAC(0), MAC(9)), DROP_NONE);
	cr_assert_str_eq(who_got(), "0 ");
	cr_assert_eq(send_frame(0, MAC(9), MAC(0)), DROP_NONE);
	cr_assert_str_eq(who_got(), "1 ");
	cr_assert_eq(send_frame(1, MAC(0), MAC(10)), DROP_SOURCE);
}

Test(learn, a_bridge_has_stations_up_to_its_limit_and_the_oldest_make_room_when_they_are_silent)
{
	network_attach(0, .mac_limit = 1);
	network_attach(1, BRIDGE);
	for (int i = 0; i < 3; i++)
		cr_assert_eq(send_frame(1, MAC(0), MAC(100 + i)), DROP_NONE);
	cr_assert_eq(send_frame(1, MAC(0), MAC(103)), DROP_SOURCE);
	cr_assert_eq(switch_count_stations(&taps[1].port, time_ms), 4);
	cr_assert_eq(send_frame(0, MAC(102), MAC(0)), DROP_NONE);
	cr_assert_str_eq(who_got(), "1 ");

	time_ms += LEARN_AGE_MS;
	cr_assert_eq(send_frame(1, MAC(0), MAC(101)), DROP_NONE);
	time_ms += 1;
	cr_assert_eq(send_frame(1, MAC(0), MAC(103)), DROP_NONE);
	cr_assert_eq(send_frame(1, MAC(0), MAC(104)), DROP_NONE);
	cr_assert_eq(send_frame(1, MAC(0), MAC(105)), DROP_SOURCE);
	cr_assert_eq(switch_count_stations(&taps[1].port, time_ms), 4);
	time_ms += LEARN_AGE_MS + 1;
	cr_assert_eq(switch_count_stations(&taps[1].port, time_ms), 1);
}

Test(learn, unknown_addresses_go_to_bridges_only_and_never_back)
{
	network_attach(0, .mac_limit = 1);
	network_attach(1, BRIDGE);
	network_attach(2, BRIDGE);
	network_attach(3, .mac_limit = 1);
	cr_assert_eq(send_frame(0, MAC(77), MAC(0)), DROP_NONE);
	cr_assert_str_eq(who_got(), "1 2 ");
	cr_assert_eq(send_frame(1, MAC(77), MAC(1)), DROP_NONE);
	cr_assert_str_eq(who_got(), "2 ");
	/* Of a station behind the bridge itself the bridge takes care. */
	cr_assert_eq(send_frame(1, MAC(3), MAC(100)), DROP_NONE);
	cr_assert_eq(send_frame(1, MAC(100), MAC(101)), DROP_DESTINATION);
	switch_detach(ctx, &taps[2].port);
	cr_assert_eq(send_frame(1, MAC(77), MAC(1)), DROP_DESTINATION);
}

Test(learn, a_station_moves_with_its_frames)
{
	network_attach(0, .mac_limit = 1);
	network_attach(1, BRIDGE);
	network_attach(2, BRIDGE);
	cr_assert_eq(send_frame(1, MAC(0), MAC(100)), DROP_NONE);
	cr_assert_eq(send_frame(2, MAC(0), MAC(100)), DROP_NONE);
	cr_assert_eq(n_notices[SWITCH_STATION_MOVED], 1);
	cr_assert_eq(last_notice.other, &taps[1].port);
	cr_assert_eq(send_frame(0, MAC(100), MAC(0)), DROP_NONE);
	cr_assert_str_eq(who_got(), "2 ");
	cr_assert_eq(switch_count_stations(&taps[1].port, time_ms), 1);

	/* With its bridge it goes away at once. */
	switch_detach(ctx, &taps[2].port);
	cr_assert_eq(send_frame(0, MAC(100), MAC(0)), DROP_NONE);
	cr_assert_str_eq(who_got(), "1 ");
}

Test(learn, an_own_address_wins_over_one_that_was_learned)
{
	network_attach(1, BRIDGE);
	network_attach(2, .mac_limit = 1);
	cr_assert_eq(send_frame(1, MAC(2), MAC(0)), DROP_NONE);
	network_attach(0, .mac_limit = 1);
	cr_assert_eq(send_frame(2, MAC(0), MAC(2)), DROP_NONE);
	cr_assert_str_eq(who_got(), "0 ");
	cr_assert_eq(send_frame(1, MAC(2), MAC(0)), DROP_SOURCE);
	cr_assert_eq(send_frame(2, MAC(0), MAC(2)), DROP_NONE);
	cr_assert_str_eq(who_got(), "0 ");
}

Test(learn, the_same_members_new_port_takes_over_all_that_the_old_one_had)
{
	network_attach(0, .mac_limit = 1);
	network_attach(1, BRIDGE);
	cr_assert_eq(send_frame(1, MAC(0), MAC(100)), DROP_NONE);
	cr_assert_eq(network_attach_as(2, "m1", MAC(1),
			     &(struct port_policy){ .bridge = true, .mac_limit = 4 }),
		OK);
	cr_assert_null(taps[1].port.domain);
	cr_assert_eq(send_frame(0, MAC(1), MAC(0)), DROP_NONE);
	cr_assert_str_eq(who_got(), "2 ");
	cr_assert_eq(send_frame(0, MAC(100), MAC(0)), DROP_NONE);
	cr_assert_str_eq(who_got(), "2 "); /* unknown again, so all bridges get it */
}

Test(learn, a_station_that_goes_back_and_forth_holds_down_the_port_that_began)
{
	network_attach(0, .mac_limit = 1);
	network_attach(1, BRIDGE);
	network_attach(2, BRIDGE);
	cr_assert_eq(send_frame(1, MAC(0), MAC(100)), DROP_NONE);
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(send_frame(2, MAC(0), MAC(100)), DROP_NONE);
		cr_assert_eq(send_frame(1, MAC(0), MAC(100)), DROP_NONE);
	}
	cr_assert_eq(send_frame(2, MAC(0), MAC(100)), DROP_LOOP);
	cr_assert_eq(n_notices[SWITCH_LOOP], 1);
	cr_assert_eq(last_notice.port, &taps[2].port);

	/* Nothing goes through it, in either direction, until its time is over. */
	cr_assert_eq(send_frame(2, MAC(0), MAC(2)), DROP_LOOP);
	cr_assert_eq(send_frame(0, MAC(2), MAC(0)), DROP_LOOP);
	cr_assert_eq(send_frame(0, FRAME_BROADCAST, MAC(0)), DROP_NONE);
	cr_assert_str_eq(who_got(), "1 ");
	cr_assert_eq(send_frame(0, MAC(100), MAC(0)), DROP_NONE);
	cr_assert_str_eq(who_got(), "1 ");
	time_ms += LEARN_HOLD_MS;
	cr_assert_eq(send_frame(2, MAC(0), MAC(2)), DROP_NONE);
}

Test(learn, a_station_that_roams_slowly_is_no_loop)
{
	network_attach(1, BRIDGE);
	network_attach(2, BRIDGE);
	for (int i = 0; i < 20; i++) {
		cr_assert_eq(send_frame(1 + i % 2, MAC(2 - i % 2), MAC(100)), DROP_NONE);
		time_ms += 4000;
	}
}

Test(learn, frames_of_others_that_come_back_through_a_bridge_hold_it_down)
{
	enum drop why = DROP_SOURCE;
	int n = 0;

	network_attach(0, .mac_limit = 1);
	network_attach(1, BRIDGE);
	network_attach(2, .mac_limit = 1);
	for (; why == DROP_SOURCE && n < 100; n++)
		why = send_frame(1, FRAME_BROADCAST, MAC(0));
	cr_assert_eq(why, DROP_LOOP);
	cr_assert_gt(n, 10);
	/* A plain port that lies about its address harms nobody but its own frame. */
	for (int i = 0; i < 100; i++)
		cr_assert_eq(send_frame(2, FRAME_BROADCAST, MAC(0)), DROP_SOURCE);
	cr_assert_eq(send_frame(2, MAC(0), MAC(2)), DROP_NONE);
}

Test(learn, notices_of_a_port_are_bounded_and_say_how_many_are_missing)
{
	network_attach(0, .mac_limit = 1);
	network_attach(1, .mac_limit = 1);
	for (int i = 0; i < 1000; i++)
		cr_assert_eq(send_frame(0, MAC(1), MAC(50)), DROP_SOURCE);
	cr_assert_eq(n_notices[SWITCH_STATION_REFUSED], 20);
	time_ms += 1000;
	cr_assert_eq(send_frame(0, MAC(1), MAC(50)), DROP_SOURCE);
	cr_assert_eq(last_notice.n_untold, 980);
}

/* CPU time of this thread in ms. */
static double cpu_ms(void)
{
	struct timespec at;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
	return (double)at.tv_sec * 1000 + (double)at.tv_nsec / 1e6;
}

/* Sends `n` frames to stations behind five bridges, and says what one of them costs. */
static double cost_of_frames(unsigned n_stations)
{
	enum { FRAMES = 200000 };
	struct packet *frame = packet_new(60);
	double began_ms = cpu_ms();

	memset(frame->data, 0, 60);
	frame->len = 60;
	frame_mac_write(MAC(0), frame->data + 6);
	for (unsigned i = 0; i < FRAMES; i++) {
		frame_mac_write(MAC(1000 + i % n_stations), frame->data);
		if (switch_forward(&taps[0].port, frame, time_ms) != DROP_NONE)
			cr_assert_fail("station %u is not found", i % n_stations);
	}
	packet_unref(frame);
	return (cpu_ms() - began_ms) * 1e6 / FRAMES;
}

/* What vpn-ws does in 1.3 s of CPU, and in the square of it for more (defect 20); what it costs
 * here is printed. */
Test(learn, twenty_thousand_stations_are_learned_and_found, .timeout = 60)
{
	enum { STATIONS = 20000, BRIDGES = 5 };
	double few, many, began_ms;

	network_attach(0, .mac_limit = 1);
	for (int i = 1; i <= BRIDGES; i++)
		network_attach(i, .bridge = true, .mac_limit = 4096);
	began_ms = cpu_ms();
	for (int i = 0; i < STATIONS; i++)
		cr_assert_eq(send_frame(1 + i % BRIDGES, MAC(0), MAC(1000 + i)), DROP_NONE);
	fprintf(stderr, "learning %d stations: %.1f ms\n", STATIONS, cpu_ms() - began_ms);
	few = cost_of_frames(20);
	many = cost_of_frames(STATIONS);
	fprintf(stderr, "a frame to one of 20 stations: %.0f ns, to one of %d: %.0f ns\n", few,
		STATIONS, many);
}

static struct tap crowd[1000];

/* A frame to one of a thousand ports, and one to all of them. */
Test(learn, a_thousand_ports_each_get_what_is_for_them)
{
	enum { PORTS = 1000, FRAMES = 200000, BROADCASTS = 200 };
	struct packet *frame = packet_new(60);
	double began_ms, to_one_ms, to_all_ms;
	int got = 0;

	network_attach(0, .mac_limit = 1);
	memset(frame->data, 0, 60);
	frame->len = 60;
	frame_mac_write(MAC(0), frame->data + 6);
	for (int i = 0; i < PORTS; i++) {
		struct port *port = &crowd[i].port, *replaced;

		snprintf(port->member, sizeof(port->member), "c%d", i);
		port->mac = MAC(1000 + i);
		port->deliver = network_deliver;
		cr_assert_eq(switch_attach(ctx, "tenant", "network", port, &replaced), OK);
	}
	began_ms = cpu_ms();
	for (int i = 0; i < FRAMES; i++) {
		frame_mac_write(MAC(1000 + i % PORTS), frame->data);
		cr_assert_eq(switch_forward(&taps[0].port, frame, time_ms), DROP_NONE);
	}
	to_one_ms = cpu_ms() - began_ms;
	frame_mac_write(FRAME_BROADCAST, frame->data);
	began_ms = cpu_ms();
	for (int i = 0; i < BROADCASTS; i++)
		cr_assert_eq(switch_forward(&taps[0].port, frame, time_ms), DROP_NONE);
	to_all_ms = cpu_ms() - began_ms;
	for (int i = 0; i < PORTS; i++) {
		got += crowd[i].got;
		switch_detach(ctx, &crowd[i].port);
	}
	cr_assert_eq(got, FRAMES + BROADCASTS * PORTS);
	fprintf(stderr, "a frame to one of %d ports: %.0f ns, to all: %.0f ns for each\n", PORTS,
		to_one_ms * 1e6 / FRAMES, to_all_ms * 1e6 / BROADCASTS / PORTS);
	packet_unref(frame);
}
