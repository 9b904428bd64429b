/*
 * client: one connection of a nymea client: its requests, their refusals, and its time limits,
 * until it is one end of a relay or a tunnel server. The loop's thread.
 */
#pragma once

#include "dataplane/nymea/nymea.h"
#include "dataplane/nymea/rpc.h"
#include "lib/slip.h"
#include "dataplane/nymea/splitter.h"
#include "dataplane/relay/guest.h"

#define CLIENT_MESSAGE_MAX (64 * 1024)	   /* bytes of a WebSocket message before it is a tunnel */
#define CLIENT_DEAF	   (2 * PIPE_FULL) /* bytes that it has not read; others' stop before */
#define CLIENT_QUIET_MS	   75 /* between the last document and the first data of others */
#define CLIENT_CLOSE	   WS_STATUS_INTERNAL /* 1011, with all of the original's reasons */

struct channel;

enum client_state {
	CLIENT_NEW,	       /* has not authenticated or registered yet */
	CLIENT_AUTHENTICATING, /* the answer to its request is due */
	CLIENT_CLAIMING,       /* its token is good; its partner is looked for */
	CLIENT_ALONE,	       /* was told so, and waits */
	CLIENT_JOINED,	       /* what it sends is another's */
	CLIENT_SERVER,	       /* speaks SLIP: tunnel.c */
	CLIENT_OVER,
};

struct client {
	struct guest guest; /* its relay's end is this connection */
	struct nymea_port *port;
	enum client_state state;
	int request; /* id of the request that is not answered yet */
	bool authenticated;
	int64_t met_s;			      /* Unix time; 0: it has not met anybody */
	char met_address[STREAM_ADDRESS_LEN]; /* of the other one */
	uint64_t tx_before;		      /* bytes that are not the other one's */
	struct splitter splitter;
	struct tunnel_server *server; /* CLIENT_SERVER */
	char server_uuid[UUID_SIZE];  /* the one that it asked for; "": none yet */
	UT_hash_handle by_id;	      /* nymea.clients */
};

/* What a kind of port understands; `handle` answers the request, now or later. */
struct client_api {
	const struct rpc_method *methods;
	void (*handle)(struct client *client, const struct rpc_request *request);
	const struct relay_hooks *hooks;
};

extern const struct client_api pairing_api, tunnel_api;

/* A new connection of the port. */
void client_of_channel(struct nymea_port *port, struct channel *channel);
void client_of_stream(struct nymea_port *port, struct stream *stream);

/* The client with that connection id; NULL if it is gone. */
struct client *client_find(struct nymea *nymea, const char *id);

/* Sends a document; takes its text. */
void client_send(struct client *client, char *text);

/* Closes with the reason when what was sent is written. */
void client_end(struct client *client, const char *reason);

/* Ends a client that asks on and on and reads no answers, `waiting` bytes of which are not in its
 * queue yet; true: it has. */
bool client_is_deaf(struct client *client, size_t waiting);

/* Hands on what came: documents are handled, until it is no more what the client sends. */
void client_received(struct client *client, const struct pipe_piece *piece);

/* The answer to Hello or Introspect, which every port has; malloc'ed. */
char *client_common_answer(const struct client *client, const struct rpc_request *request);
enum { RPC_HELLO, RPC_INTROSPECT, RPC_OWN };
#define CLIENT_COMMON_METHODS                                                                      \
	{ .name = "RemoteProxy.Hello", .call = RPC_HELLO },                                        \
	{                                                                                          \
		.name = "RemoteProxy.Introspect", .call = RPC_INTROSPECT                           \
	}

/* From the relay hooks of both kinds. */
void client_closed(struct relay_end *one);
