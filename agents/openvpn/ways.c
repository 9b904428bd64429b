/* ways: see ways.h. */
#include "agents/openvpn/ways.h"

#include "lib/log.h"

#include <errno.h>
#include <string.h>

static bool has_way(const struct client *client)
{
	return client->state != CLIENT_GONE && client->connection[0] != '\0';
}

static void add(struct routed *routed, const struct address *address)
{
	if (!routed_add(routed, address))
		log_error("route", "to=%s text=%s", address->text, log_value(strerror(errno)));
}

void ways_add(struct routed *routed, const struct client *client)
{
	if (routed->netlink == NULL)
		return;
	add(routed, &client->ipv4);
	add(routed, &client->ipv6);
}

void ways_remove(struct routed *routed, const struct clients *clients, const struct client *client)
{
	if (routed->netlink == NULL || client->connection[0] == '\0')
		return;
	for (const struct client *other = clients->first; other != NULL; other = other->next)
		if (has_way(other) && strcmp(other->ipv4.text, client->ipv4.text) == 0 &&
			strcmp(other->ipv6.text, client->ipv6.text) == 0)
			return;
	(void)routed_remove(routed, &client->ipv4);
	(void)routed_remove(routed, &client->ipv6);
}

void ways_keep(struct routed *routed, const struct clients *clients)
{
	unsigned before = routed->uplink_index;

	if (routed->netlink == NULL || !routed_keep(routed) || routed->uplink_index == before)
		return;
	for (const struct client *client = clients->first; client != NULL; client = client->next)
		if (has_way(client))
			ways_add(routed, client);
}
