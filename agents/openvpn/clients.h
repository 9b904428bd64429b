/*
 * clients: those of the OpenVPN server, by the number that it gives each: who asks to be let in,
 * who is in, what is to be told of them. Over memory only; the loop's thread.
 */
#pragma once

#include "agents/address.h"
#include "agents/openvpn/management.h"
#include "agents/reply.h"

#include <jansson.h>

#include <stdbool.h>

#define CLIENTS_PATIENCE_MS                                                                        \
	60000 /* of a client that asks, or has its answer and does not go on                       \
	       */

enum client_state {
	CLIENT_ASKING,
	CLIENT_LET_IN, /* has a connection, and not yet its settings */
	CLIENT_UP,
	CLIENT_GONE, /* is still to be told of, if it has a connection */
};

struct client {
	struct client *next; /* clients.first */
	enum client_state state;
	struct management_event asked;	/* its question */
	char connection[REPLY_ID_SIZE]; /* "": none */
	struct address ipv4, ipv6;	/* in the network; AF_UNSPEC: none */
	uint64_t bytes_in, bytes_out, told_in, told_out;
	unsigned warnings;	    /* how often the portal has called it unwelcome */
	bool obeyed;		    /* somebody of its name has come since */
	bool telling, telling_gone; /* it stands in the report that is under way */
	int64_t since_ms;	    /* clock_ms() of its state */
};

struct clients {
	struct client *first;
};

void clients_finish(struct clients *clients);

/* The one with this number that is not gone; NULL if there is none. */
struct client *clients_find(const struct clients *clients, uint64_t number);
struct client *clients_of_connection(const struct clients *clients, const char *connection);

struct client *clients_add(struct clients *clients, const struct management_event *asked);
void clients_set_state(struct client *client, enum client_state state);

/* One whose question is answered, and that has no connection, is forgotten. */
void clients_forget(struct clients *clients, struct client *client);

/* An entry for a connection that we know nothing of: it is gone. */
void clients_add_gone(struct clients *clients, const char *connection);

/* What has changed, at most `max` of it, as an array of authority_item. */
json_t *clients_report(struct clients *clients, size_t max);

/* The report has arrived, or not. */
void clients_reported(struct clients *clients, bool arrived);
