/* clients: see clients.h. */
#include "agents/openvpn/clients.h"

#include "agents/openvpn/authority.h"

#include "lib/clock.h"
#include "lib/mem.h"

#include <string.h>

void clients_finish(struct clients *clients)
{
	while (clients->first != NULL)
		clients_forget(clients, clients->first);
}

struct client *clients_find(const struct clients *clients, uint64_t number)
{
	struct client *client;

	for (client = clients->first; client != NULL; client = client->next)
		if (client->asked.client == number && client->state != CLIENT_GONE)
			break;
	return client;
}

struct client *clients_of_connection(const struct clients *clients, const char *connection)
{
	struct client *client;

	for (client = clients->first; client != NULL; client = client->next)
		if (strcmp(client->connection, connection) == 0)
			break;
	return client;
}

struct client *clients_add(struct clients *clients, const struct management_event *asked)
{
	struct client *client = xcalloc(1, sizeof(*client));

	client->asked = *asked;
	clients_set_state(client, CLIENT_ASKING);
	client->next = clients->first;
	clients->first = client;
	return client;
}

void clients_set_state(struct client *client, enum client_state state)
{
	client->state = state;
	client->since_ms = clock_ms();
}

void clients_forget(struct clients *clients, struct client *client)
{
	struct client **slot;

	for (slot = &clients->first; *slot != client; slot = &(*slot)->next)
		;
	*slot = client->next;
	explicit_bzero(client, sizeof(*client));
	free(client);
}

void clients_add_gone(struct clients *clients, const char *connection)
{
	struct client *client = clients_add(clients, &(struct management_event){ 0 });

	clients_set_state(client, CLIENT_GONE);
	strcpy(client->connection, connection);
}

static bool is_news(const struct client *client)
{
	return client->connection[0] != '\0' &&
	       (client->state == CLIENT_GONE || client->bytes_in != client->told_in ||
		       client->bytes_out != client->told_out);
}

json_t *clients_report(struct clients *clients, size_t max)
{
	json_t *items = json_array();

	for (struct client *client = clients->first; client != NULL; client = client->next) {
		client->telling = json_array_size(items) < max && is_news(client);
		if (!client->telling)
			continue;
		client->telling_gone = client->state == CLIENT_GONE;
		client->told_in = client->bytes_in;
		client->told_out = client->bytes_out;
		json_array_append_new(items, authority_item(client->connection, client->bytes_in,
						     client->bytes_out, client->telling_gone));
	}
	return items;
}

void clients_reported(struct clients *clients, bool arrived)
{
	for (struct client *client = clients->first, *next; client != NULL; client = next) {
		next = client->next;
		if (client->telling && arrived && client->telling_gone) {
			clients_forget(clients, client);
			continue;
		}
		if (client->telling && !arrived)
			client->told_in = client->told_out = UINT64_MAX;
		client->telling = false;
	}
}
