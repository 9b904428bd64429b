/* clients: what is told of them to the portal, once, and again when it did not arrive. */
#include "agents/openvpn/clients.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <string.h>

static struct client *add(struct clients *clients, uint64_t number, const char *connection)
{
	struct client *client =
		clients_add(clients, &(struct management_event){ .client = number });

	strcpy(client->connection, connection);
	clients_set_state(client, CLIENT_UP);
	return client;
}

static size_t report(struct clients *clients, size_t max, bool arrived)
{
	json_t *items = clients_report(clients, max);
	size_t n = json_array_size(items);

	json_decref(items);
	clients_reported(clients, arrived);
	return n;
}

Test(clients, only_news_are_told)
{
	struct clients clients = { 0 };
	struct client *client = add(&clients, 1, "one");

	add(&clients, 2, "");
	cr_assert(eq(sz, report(&clients, 10, true), 0));
	client->bytes_in = 100;
	cr_assert(eq(sz, report(&clients, 10, false), 1));
	cr_assert(eq(sz, report(&clients, 10, true), 1), "it did not arrive before");
	cr_assert(eq(sz, report(&clients, 10, true), 0));
	clients_finish(&clients);
}

Test(clients, who_is_gone_is_forgotten_when_that_has_arrived)
{
	struct clients clients = { 0 };

	clients_set_state(add(&clients, 1, "one"), CLIENT_GONE);
	cr_assert(eq(ptr, clients_find(&clients, 1), NULL));
	cr_assert(eq(sz, report(&clients, 10, false), 1));
	cr_assert(ne(ptr, clients_of_connection(&clients, "one"), NULL));
	cr_assert(eq(sz, report(&clients, 10, true), 1));
	cr_assert(eq(ptr, clients_of_connection(&clients, "one"), NULL));
}

Test(clients, who_goes_while_a_report_is_under_way_stands_in_the_next_one)
{
	struct clients clients = { 0 };
	struct client *client = add(&clients, 1, "one");

	client->bytes_in = 1;
	json_decref(clients_report(&clients, 10));
	clients_set_state(client, CLIENT_GONE);
	clients_reported(&clients, true);
	cr_assert(eq(sz, report(&clients, 10, true), 1));
	cr_assert(eq(ptr, clients.first, NULL));
}

Test(clients, a_report_has_its_limit)
{
	struct clients clients = { 0 };

	for (uint64_t i = 0; i < 5; i++)
		clients_add_gone(&clients, "x");
	cr_assert(eq(sz, report(&clients, 2, true), 2));
	cr_assert(eq(sz, report(&clients, 2, true), 2));
	cr_assert(eq(sz, report(&clients, 2, true), 1));
	cr_assert(eq(ptr, clients.first, NULL));
}
