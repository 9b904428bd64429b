/* peer_config: what apps get of a profile. */
#include "services/provision/wireguard/peer_config.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static struct peer_config config_of(const Provision__Profile *profile)
{
	return (struct peer_config){ .profile = profile,
		.host = "vpn.example.org",
		.port = 51820,
		.public_key = "KEY=",
		.ipv4 = "10.9.0.2/24",
		.ipv6 = "fd09::2/64",
		.ipv4_range = "10.9.0.0/24",
		.ipv6_range = "fd09::/64",
		.mtu = 1420 };
}

Test(peer_config, all_goes_through_it)
{
	char *dns[] = { "9.9.9.9", "2620:fe::fe" }, *domains[] = { "example.org" };
	Provision__Profile profile = PROVISION__PROFILE__INIT;
	AUTO_ARENA arena = arena_create();
	struct peer_config config = config_of(&profile);

	profile.default_gateway = true;
	profile.dns = dns;
	profile.n_dns = 2;
	profile.search_domains = domains;
	profile.n_search_domains = 1;
	cr_expect(eq(str, peer_config_write(arena, &config),
		"[Interface]\nMTU = 1420\nAddress = 10.9.0.2/24,fd09::2/64\n"
		"DNS = 9.9.9.9,2620:fe::fe,example.org\n\n"
		"[Peer]\nPublicKey = KEY=\nAllowedIPs = 0.0.0.0/0,::/0\n"
		"PersistentKeepalive = 25\nEndpoint = vpn.example.org:51820\n"));
}

Test(peer_config, only_the_network_and_routes)
{
	char *dns[] = { "9.9.9.9" }, *routes[] = { "10.0.0.0/8", "fd00::/8" };
	Provision__Profile profile = PROVISION__PROFILE__INIT;
	AUTO_ARENA arena = arena_create();
	struct peer_config config = config_of(&profile);

	profile.dns = dns;
	profile.n_dns = 1;
	profile.routes = routes;
	profile.n_routes = 2;
	config.host = "2001:db8::1";
	config.ipv4 = config.ipv4_range = "";
	cr_expect(eq(str, peer_config_write(arena, &config),
		"[Interface]\nMTU = 1420\nAddress = fd09::2/64\n\n"
		"[Peer]\nPublicKey = KEY=\nAllowedIPs = fd09::/64,10.0.0.0/8,fd00::/8\n"
		"PersistentKeepalive = 25\nEndpoint = [2001:db8::1]:51820\n"));
}
