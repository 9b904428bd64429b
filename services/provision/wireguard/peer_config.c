/* peer_config: see peer_config.h. */
#include "services/provision/wireguard/peer_config.h"

#include <stdbool.h>
#include <string.h>

#define KEEPALIVE_S 25 /* shorter than what routers on the way forget after */

/* With another one at its end; "" adds nothing. */
static char *more(struct arena *arena, char *list, const char *item)
{
	if (*item == '\0')
		return list;
	return arena_printf(arena, "%s%s%s", list, *list != '\0' ? "," : "", item);
}

static char *more_of(struct arena *arena, char *list, size_t n, char *const items[])
{
	for (size_t i = 0; i < n; i++)
		list = more(arena, list, items[i]);
	return list;
}

/* Name servers of a part of the network would answer for all of the device: they are told of when
 * all goes this way, or when they are for some domains. */
static const char *dns_line(struct arena *arena, const Provision__Profile *profile)
{
	char *list = arena_strdup(arena, "");

	if (profile->default_gateway || profile->n_search_domains > 0)
		list = more_of(arena, list, profile->n_dns, profile->dns);
	list = more_of(arena, list, profile->n_search_domains, profile->search_domains);
	return *list != '\0' ? arena_printf(arena, "DNS = %s\n", list) : "";
}

static const char *allowed(struct arena *arena, const struct peer_config *config)
{
	const Provision__Profile *profile = config->profile;
	char *list = arena_strdup(arena, "");

	if (profile->default_gateway)
		return "0.0.0.0/0,::/0";
	list = more(arena, list, config->ipv4_range);
	list = more(arena, list, config->ipv6_range);
	return more_of(arena, list, profile->n_routes, profile->routes);
}

char *peer_config_write(struct arena *arena, const struct peer_config *config)
{
	char *addresses = arena_strdup(arena, "");
	bool is_ipv6 = strchr(config->host, ':') != NULL;

	addresses = more(arena, addresses, config->ipv4);
	addresses = more(arena, addresses, config->ipv6);
	return arena_printf(arena,
		"[Interface]\n"
		"MTU = %u\n"
		"Address = %s\n"
		"%s\n"
		"[Peer]\n"
		"PublicKey = %s\n"
		"AllowedIPs = %s\n"
		"PersistentKeepalive = %d\n"
		"Endpoint = %s%s%s:%u\n",
		config->mtu, addresses, dns_line(arena, config->profile), config->public_key,
		allowed(arena, config), KEEPALIVE_S, is_ipv6 ? "[" : "", config->host,
		is_ipv6 ? "]" : "", config->port);
}
