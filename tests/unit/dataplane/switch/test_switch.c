/*
 * switch: who gets which frame, who may not send, who takes over from whom, and that no frame ever
 * leaves its network.
 */
#include "dataplane/switch/frame.h"
#include "dataplane/switch/switch.h"
#include "lib/mem.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* A port that counts what it is given and looks where it came from. */
struct tap {
	struct port port;
	int network; /* which network it is in, for the isolation test */
	int got;
	struct packet *last;
};

static int foreign; /* frames that reached a tap of another network */

/* The network a test frame was sent in stands behind its header. */
static struct packet *frame_new(uint64_t destination, uint64_t source, int network, uint32_t len)
{
	struct packet *frame = packet_new(len);

	frame->len = len;
	memset(frame->data, 0, frame->capacity);
	frame_mac_write(destination, frame->data);
	frame_mac_write(source, frame->data + 6);
	memcpy(frame->data + FRAME_LEN_MIN, &network, sizeof(network));
	return frame;
}

static void count(struct port *port, struct packet *frame)
{
	struct tap *tap = (struct tap *)port;
	int network;

	memcpy(&network, frame->data + FRAME_LEN_MIN, sizeof(network));
	if (network != tap->network)
		foreign++;
	tap->got++;
	tap->last = frame;
}

static void tap_init(struct tap *tap, int network, const char *member, uint64_t mac)
{
	*tap = (struct tap){ .network = network, .port = { .mac = mac, .deliver = count } };
	snprintf(tap->port.member, sizeof(tap->port.member), "%s", member);
}

static err_t attach(
	struct switch_ctx *ctx, const char *tenant, const char *network, struct tap *tap)
{
	struct port *replaced;

	return switch_attach(ctx, tenant, network, &tap->port, &replaced);
}

static enum drop send(struct tap *from, uint64_t destination, uint64_t source)
{
	struct packet *frame = frame_new(destination, source, from->network, 60);
	enum drop verdict = switch_forward(&from->port, frame, 1);

	packet_unref(frame);
	return verdict;
}

Test(switch, forwards_by_address)
{
	struct switch_ctx *ctx = switch_create();
	struct tap taps[3];
	const struct {
		uint64_t destination, source;
		enum drop want;
		int got[3];
	} rows[] = {
		{ 0x020000000002, 0x020000000001, DROP_NONE, { 0, 1, 0 } },
		{ FRAME_BROADCAST, 0x020000000001, DROP_NONE, { 0, 1, 1 } },
		{ 0x01005e0000fb, 0x020000000001, DROP_NONE, { 0, 1, 1 } },
		{ 0x3333000000fb, 0x020000000001, DROP_NONE, { 0, 1, 1 } },
		{ 0x020000000009, 0x020000000001, DROP_DESTINATION, { 0, 0, 0 } },
		{ 0, 0x020000000001, DROP_DESTINATION, { 0, 0, 0 } },
		{ 0x020000000001, 0x020000000001, DROP_DESTINATION, { 0, 0, 0 } },
		{ 0x020000000003, 0x020000000002, DROP_SOURCE, { 0, 0, 0 } },
		{ FRAME_BROADCAST, FRAME_BROADCAST, DROP_SOURCE, { 0, 0, 0 } },
		{ FRAME_BROADCAST, 0, DROP_SOURCE, { 0, 0, 0 } },
	};

	for (int i = 0; i < 3; i++) {
		char member[8];

		snprintf(member, sizeof(member), "m%d", i);
		tap_init(&taps[i], 0, member, 0x020000000001ULL + (uint64_t)i);
		cr_assert_eq(attach(ctx, "t", "n", &taps[i]), OK);
	}
	for (size_t row = 0; row < ARRAY_LEN(rows); row++) {
		for (int i = 0; i < 3; i++)
			taps[i].got = 0;
		cr_assert_eq(send(&taps[0], rows[row].destination, rows[row].source),
			rows[row].want, "row %zu", row);
		for (int i = 0; i < 3; i++)
			cr_assert_eq(taps[i].got, rows[row].got[i], "row %zu tap %d", row, i);
	}
	for (int i = 0; i < 3; i++)
		switch_detach(ctx, &taps[i].port);
	switch_destroy(ctx);
	packet_trim();
}

Test(switch, forwards_no_frame_of_a_wrong_length)
{
	struct switch_ctx *ctx = switch_create();
	const uint32_t lengths[] = { 0, 6, 12, 13, FRAME_LEN_MAX + 1 };
	struct tap a, b;

	tap_init(&a, 0, "a", 0x020000000001);
	tap_init(&b, 0, "b", 0x020000000002);
	cr_assert_eq(attach(ctx, "t", "n", &a), OK);
	cr_assert_eq(attach(ctx, "t", "n", &b), OK);
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		struct packet *frame =
			frame_new(FRAME_BROADCAST, 0x020000000001, 0, FRAME_LEN_MAX + 1);

		frame->len = lengths[i];
		cr_assert_eq(switch_forward(&a.port, frame, 1), DROP_LENGTH);
		packet_unref(frame);
	}
	cr_assert_eq(b.got, 0);
	switch_detach(ctx, &a.port);
	switch_detach(ctx, &b.port);
	switch_destroy(ctx);
	packet_trim();
}

Test(switch, shares_one_packet_among_all_receivers)
{
	struct switch_ctx *ctx = switch_create();
	struct packet *frame = frame_new(FRAME_BROADCAST, 0x020000000001, 0, 60);
	struct tap taps[4];

	for (int i = 0; i < 4; i++) {
		char member[8];

		snprintf(member, sizeof(member), "m%d", i);
		tap_init(&taps[i], 0, member, 0x020000000001ULL + (uint64_t)i);
		cr_assert_eq(attach(ctx, "t", "n", &taps[i]), OK);
	}
	cr_assert_eq(switch_forward(&taps[0].port, frame, 1), DROP_NONE);
	for (int i = 1; i < 4; i++)
		cr_assert_eq(taps[i].last, frame);
	packet_unref(frame);
	for (int i = 0; i < 4; i++)
		switch_detach(ctx, &taps[i].port);
	switch_destroy(ctx);
	packet_trim();
}

Test(switch, gives_a_members_place_to_its_new_port)
{
	struct switch_ctx *ctx = switch_create();
	struct tap old, new, other;
	struct port *replaced = NULL;

	tap_init(&old, 0, "member", 0x020000000001);
	tap_init(&new, 0, "member", 0x020000000001);
	tap_init(&other, 0, "other", 0x020000000002);
	cr_assert_eq(attach(ctx, "t", "n", &old), OK);
	cr_assert_eq(attach(ctx, "t", "n", &other), OK);
	cr_assert_eq(switch_attach(ctx, "t", "n", &new.port, &replaced), OK);
	cr_assert_eq(replaced, &old.port);
	cr_assert_null(old.port.domain);

	cr_assert_eq(send(&other, 0x020000000001, 0x020000000002), DROP_NONE);
	cr_assert_eq(new.got, 1);
	cr_assert_eq(old.got, 0);
	switch_detach(ctx, &old.port);
	switch_detach(ctx, &new.port);
	switch_detach(ctx, &other.port);
	switch_destroy(ctx);
	packet_trim();
}

Test(switch, moves_a_member_that_comes_back_with_another_address)
{
	struct switch_ctx *ctx = switch_create();
	struct tap old, new, other;

	tap_init(&old, 0, "member", 0x020000000001);
	tap_init(&new, 0, "member", 0x020000000003);
	tap_init(&other, 0, "other", 0x020000000002);
	cr_assert_eq(attach(ctx, "t", "n", &old), OK);
	cr_assert_eq(attach(ctx, "t", "n", &other), OK);
	cr_assert_eq(attach(ctx, "t", "n", &new), OK);
	cr_assert_eq(send(&other, 0x020000000001, 0x020000000002), DROP_DESTINATION);
	cr_assert_eq(send(&other, 0x020000000003, 0x020000000002), DROP_NONE);
	switch_detach(ctx, &new.port);
	switch_detach(ctx, &other.port);
	switch_destroy(ctx);
	packet_trim();
}

Test(switch, lets_nobody_take_another_members_address)
{
	struct switch_ctx *ctx = switch_create();
	struct tap owner, thief, elsewhere;

	tap_init(&owner, 0, "owner", 0x020000000001);
	tap_init(&thief, 0, "thief", 0x020000000001);
	tap_init(&elsewhere, 0, "thief", 0x020000000001);
	cr_assert_eq(attach(ctx, "t", "n", &owner), OK);
	cr_assert_eq(attach(ctx, "t", "n", &thief), ERR_ALREADY_EXISTS);
	cr_assert_null(thief.port.domain);
	cr_assert_eq(attach(ctx, "t", "other", &elsewhere), OK);
	switch_detach(ctx, &owner.port);
	switch_detach(ctx, &elsewhere.port);
	switch_destroy(ctx);
}

Test(switch, keeps_networks_of_one_name_in_two_tenants_apart)
{
	struct switch_ctx *ctx = switch_create();
	struct tap a, b;

	tap_init(&a, 1, "a", 0x020000000001);
	tap_init(&b, 2, "b", 0x020000000002);
	cr_assert_eq(attach(ctx, "tenant1", "n", &a), OK);
	cr_assert_eq(attach(ctx, "tenant2", "n", &b), OK);
	cr_assert_eq(send(&a, 0x020000000002, 0x020000000001), DROP_DESTINATION);
	cr_assert_eq(send(&a, FRAME_BROADCAST, 0x020000000001), DROP_NONE);
	cr_assert_eq(b.got, 0);
	switch_detach(ctx, &a.port);
	switch_detach(ctx, &b.port);
	switch_destroy(ctx);
	packet_trim();
}

/* A small generator of our own, so that a failure can be repeated. */
static uint32_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(*state >> 33);
}

/*
 * A million frames in fifty networks whose members use the same addresses. Senders are hostile:
 * forged sources, tags of other VLANs, other networks' addresses, wrong lengths, and ports come and
 * go.
 */
Test(switch, never_lets_a_frame_out_of_its_network, .timeout = 60)
{
	enum { NETWORKS = 50, PORTS = 8, FRAMES = 1000000 };
	static struct tap taps[NETWORKS][PORTS];
	struct switch_ctx *ctx = switch_create();
	uint64_t state = 42;
	int forwarded = 0, refused = 0;

	for (int n = 0; n < NETWORKS; n++)
		for (int p = 0; p < PORTS; p++) {
			char member[16], network[16];

			snprintf(member, sizeof(member), "m%d", p);
			snprintf(network, sizeof(network), "n%d", n / 2);
			/* Every address is used in ten networks, and differs in the others. */
			tap_init(&taps[n][p], n, member,
				0x020000000000ULL + (uint64_t)(n % 5 * 16 + p));
			cr_assert_eq(
				attach(ctx, n % 2 ? "tenant1" : "tenant2", network, &taps[n][p]),
				OK);
		}
	for (int i = 0; i < FRAMES; i++) {
		struct tap *from =
			&taps[next_random(&state) % NETWORKS][next_random(&state) % PORTS];
		uint64_t source = from->port.mac;
		uint64_t destination = 0x020000000000ULL + next_random(&state) % 80;
		uint32_t len = FRAME_LEN_MIN + 4 + next_random(&state) % 100;
		uint32_t dice = next_random(&state) % 16;
		struct packet *frame;

		if (dice == 0)
			source = 0x020000000000ULL + next_random(&state) % 80;
		if (dice < 4)
			destination = dice == 1 ? 0x01005e000001ULL : FRAME_BROADCAST;
		frame = frame_new(destination, source, from->network, len);
		if (dice == 5)
			memcpy(frame->data + 12, "\x81\x00", 2);
		if (dice == 6)
			frame->len = next_random(&state) % FRAME_LEN_MIN;
		if (switch_forward(&from->port, frame, 1) == DROP_NONE)
			forwarded++;
		else
			refused++;
		packet_unref(frame);
		if (dice == 7) { /* away and back, at the end of the network's list */
			switch_detach(ctx, &from->port);
			from->port.domain = NULL;
			char network[16];

			snprintf(network, sizeof(network), "n%d", from->network / 2);
			cr_assert_eq(attach(ctx, from->network % 2 ? "tenant1" : "tenant2", network,
					     from),
				OK);
		}
	}
	cr_assert_eq(foreign, 0, "%d frames in a foreign network", foreign);
	cr_assert_gt(forwarded, FRAMES / 10);
	cr_assert_gt(refused, FRAMES / 10);
	for (int n = 0; n < NETWORKS; n++)
		for (int p = 0; p < PORTS; p++)
			switch_detach(ctx, &taps[n][p].port);
	switch_destroy(ctx);
	packet_trim();
}
