/*
 * Rules of ports and networks: isolation, what broadcast and multicast may do, reserved addresses,
 * and storms.
 */
#include "tests/unit/dataplane/network.h"

TestSuite(rules, .init = network_open, .fini = network_close);

static void set_rules(struct switch_rules rules)
{
	static int64_t version;

	rules.version = ++version;
	switch_set_rules(ctx, "tenant", "network", &rules);
}

Test(rules, isolated_ports_reach_those_that_are_not)
{
	network_attach(0, .isolated = true);
	network_attach(1, .isolated = true);
	network_attach(2, .mac_limit = 1);
	cr_assert_eq(send_frame(0, MAC(1), MAC(0)), DROP_POLICY);
	cr_assert_str_eq(who_got(), "");
	cr_assert_eq(send_frame(0, MAC(2), MAC(0)), DROP_NONE);
	cr_assert_eq(send_frame(2, MAC(0), MAC(2)), DROP_NONE);
	cr_assert_eq(send_frame(0, FRAME_BROADCAST, MAC(0)), DROP_NONE);
	cr_assert_str_eq(who_got(), "2 ");
	cr_assert_eq(send_frame(2, FRAME_BROADCAST, MAC(2)), DROP_NONE);
	cr_assert_str_eq(who_got(), "0 1 ");
}

Test(rules, a_network_without_broadcast_or_multicast_sends_it_to_bridges)
{
	network_attach(0, .mac_limit = 1);
	network_attach(1, .mac_limit = 1);
	set_rules((struct switch_rules){ .no_broadcast = true });
	cr_assert_eq(send_frame(0, FRAME_BROADCAST, MAC(0)), DROP_POLICY);
	cr_assert_eq(send_frame(0, 0x01005e0000fb, MAC(0)), DROP_NONE);
	network_attach(2, .bridge = true, .mac_limit = 2);
	cr_assert_eq(send_frame(0, FRAME_BROADCAST, MAC(0)), DROP_NONE);
	cr_assert_str_eq(who_got(), "2 ");
	set_rules((struct switch_rules){ .no_multicast = true });
	cr_assert_eq(send_frame(0, 0x3333000000fb, MAC(0)), DROP_NONE);
	cr_assert_str_eq(who_got(), "2 ");
	cr_assert_eq(send_frame(0, FRAME_BROADCAST, MAC(0)), DROP_NONE);
	cr_assert_str_eq(who_got(), "1 2 ");
}

Test(rules, protocols_between_bridges_go_nowhere)
{
	const uint64_t reserved[] = { 0x0180c2000000 /* STP */, 0x0180c200000e /* LLDP */,
		0x0180c2000003 /* 802.1X */, 0x0180c2000021 /* GVRP */, 0x01000ccccccc /* CDP */,
		0x01000ccccccd /* PVST+ */ };

	network_attach(0, .bridge = true, .mac_limit = 2);
	network_attach(1, .bridge = true, .mac_limit = 2);
	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
		cr_assert_eq(send_frame(0, reserved[i], MAC(0)), DROP_POLICY, "%zu", i);
		cr_assert_str_eq(who_got(), "");
	}
	cr_assert_eq(send_frame(0, 0x01000cccccce, MAC(0)), DROP_NONE);
	cr_assert_eq(send_frame(0, 0x0180c2000100, MAC(0)), DROP_NONE);
}

Test(rules, a_storm_is_cut_to_its_rate_in_frames)
{
	int n = 0;

	network_attach(0, .mac_limit = 1);
	network_attach(1, .mac_limit = 1);
	set_rules((struct switch_rules){ .storm_frames = 100 });
	for (int i = 0; i < 1000; i++)
		n += send_frame(0, FRAME_BROADCAST, MAC(0)) == DROP_NONE;
	cr_assert_eq(n, 100);
	cr_assert_eq(send_frame(0, 0x01005e000001, MAC(0)), DROP_STORM);
	cr_assert_eq(n_notices[SWITCH_STORM], 20);
	/* Others and other frames are not touched by it. */
	cr_assert_eq(send_frame(0, MAC(1), MAC(0)), DROP_NONE);
	cr_assert_eq(send_frame(1, FRAME_BROADCAST, MAC(1)), DROP_NONE);
	time_ms += 100;
	n = 0;
	for (int i = 0; i < 1000; i++)
		n += send_frame(0, FRAME_BROADCAST, MAC(0)) == DROP_NONE;
	cr_assert_eq(n, 10);
}

Test(rules, a_storm_is_cut_to_its_rate_in_bytes_and_counts_unknown_addresses)
{
	int n = 0;

	network_attach(0, .mac_limit = 1);
	network_attach(1, .bridge = true, .mac_limit = 2);
	set_rules((struct switch_rules){ .storm_bytes = 600000 });
	for (int i = 0; i < 20000; i++)
		n += send_frame(0, MAC(99), MAC(0)) == DROP_NONE;
	cr_assert_eq(n, 10000);
	time_ms += 1;
	cr_assert_eq(send_frame(0, MAC(99), MAC(0)), DROP_NONE);
	time_ms += 1;
	for (n = 0; send_frame(0, FRAME_BROADCAST, MAC(0)) == DROP_NONE;)
		n++;
	cr_assert_eq(n, 19); /* 1200 bytes in 2 ms, one frame of them gone before */
}

/* A super-frame may be longer than a second's worth. */
Test(rules, a_small_rate_lets_large_frames_through_now_and_then)
{
	static uint8_t frame[60000];

	network_attach(0, .mac_limit = 1);
	network_attach(1, .mac_limit = 1);
	set_rules((struct switch_rules){ .storm_bytes = 1000 });
	frame_mac_write(FRAME_BROADCAST, frame);
	frame_mac_write(MAC(0), frame + 6);
	cr_assert_eq(send_bytes(0, frame, sizeof(frame)), DROP_NONE);
	cr_assert_eq(send_bytes(0, frame, sizeof(frame)), DROP_STORM);
	time_ms += 60000;
	cr_assert_eq(send_bytes(0, frame, sizeof(frame)), DROP_NONE);
}

Test(rules, of_an_earlier_version_change_nothing)
{
	const struct switch_rules late = { .version = 1000000, .no_broadcast = true };
	const struct switch_rules early = { .version = 999999 };

	network_attach(0, .mac_limit = 1);
	network_attach(1, .mac_limit = 1);
	switch_set_rules(ctx, "tenant", "network", &late);
	switch_set_rules(ctx, "tenant", "network", &early);
	switch_set_rules(ctx, "tenant", "elsewhere", &early);
	cr_assert_eq(send_frame(0, FRAME_BROADCAST, MAC(0)), DROP_POLICY);
}
