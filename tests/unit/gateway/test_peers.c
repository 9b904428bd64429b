/* peers: slow ones are cut off, and addresses are counted as they should be. */
#include "gateway/peers.h"

#include "lib/clock.h"
#include "lib/mem.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <arpa/inet.h>
#include <string.h>
#include <unistd.h>

static struct sockaddr_storage address_of(const char *text)
{
	struct sockaddr_storage address = { .ss_family = AF_UNSPEC };
	struct sockaddr_in *v4 = (struct sockaddr_in *)&address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address;

	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1)
		address.ss_family = AF_INET;
	else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1)
		address.ss_family = AF_INET6;
	return address;
}

static const struct {
	const char *address, *origin;
} origins[] = {
	{ "192.0.2.7", "192.0.2.7" },
	{ "::ffff:192.0.2.7", "192.0.2.7" },
	{ "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::" },
	{ "::1", "::" },
};

Test(peers, origin)
{
	struct peers *peers = peers_create();

	for (size_t i = 0; i < ARRAY_LEN(origins); i++) {
		struct sockaddr_storage address = address_of(origins[i].address);
		struct peer *peer = peers_add(peers, -1, (struct sockaddr *)&address);

		cr_expect(eq(str, (char *)peer_origin(peer), (char *)origins[i].origin));
		peers_remove(peers, peer);
	}
	peers_destroy(peers);
}

Test(peers, in_a_crowd_those_who_never_asked_for_anything_go_first)
{
	struct sockaddr_storage address = address_of("192.0.2.7");
	struct peers *peers = peers_create();
	struct peer *kept[PEERS_CROWD + 1];

	for (int i = 0; i <= PEERS_CROWD; i++)
		kept[i] = peers_add(peers, -1, (struct sockaddr *)&address);
	peer_prove(kept[7]);
	cr_expect(eq(int, peers_sweep(peers, clock_ms()), 0));
	cr_expect(eq(int, peers_sweep(peers, clock_ms() + PEERS_HURRY_MS + 1000), PEERS_CROWD));
	peers_remove(peers, kept[0]); /* as many as may be slow */
	cr_expect(eq(int, peers_sweep(peers, clock_ms() + PEERS_HURRY_MS + 1000), 0));
	for (int i = 1; i <= PEERS_CROWD; i++)
		peers_remove(peers, kept[i]);
	peers_destroy(peers);
}

Test(peers, slow_ones_are_cut_off)
{
	struct sockaddr_storage address = address_of("192.0.2.7");
	struct peers *peers = peers_create();
	struct peer *kept[3];
	int pair[3][2];
	char byte;

	for (int i = 0; i < 3; i++) {
		cr_assert(eq(int, socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair[i]), 0));
		kept[i] = peers_add(peers, pair[i][0], (struct sockaddr *)&address);
	}
	cr_expect(eq(int, peers_sweep(peers, clock_ms()), 0));
	peers_remove(peers, kept[1]);
	cr_expect(eq(int, peers_sweep(peers, clock_ms() + PEERS_STEP_MS + 1000), 2));
	cr_expect(eq(int, (int)read(pair[0][1], &byte, 1), 0));	 /* ended */
	cr_expect(eq(int, (int)read(pair[1][1], &byte, 1), -1)); /* open */
	cr_expect(eq(int, (int)read(pair[2][1], &byte, 1), 0));
	peers_remove(peers, kept[0]);
	peers_remove(peers, kept[2]);
	peers_destroy(peers);
	for (int i = 0; i < 6; i++)
		close(pair[i / 2][i % 2]);
}
