/*
 * tunnel_server: a registered server: the places of its clients, and the frames on its connection.
 * A part of tunnel. The loop's thread.
 */
#pragma once

#include "dataplane/nymea/client.h"
#include "dataplane/nymea/tunnel.h"

struct tunnel_server;

/* Makes the client, who has had its answer, a server. */
void tunnel_server_create(struct client *client, const char *uuid, const char *name);

/* Its connection is gone: so are its clients. */
void tunnel_server_destroy(struct tunnel_server *server);

const char *tunnel_server_uuid(const struct tunnel_server *server);
const char *tunnel_server_name(const struct tunnel_server *server);

/* Bytes from the server's connection. */
void tunnel_server_received(struct tunnel_server *server, const struct pipe_piece *piece);

/* There is room on its connection again. */
void tunnel_server_drained(struct tunnel_server *server);

/* The timer of its connection. */
void tunnel_server_timer(struct tunnel_server *server);

/* Sends a document in a frame of address 0; takes its text. */
void tunnel_server_send(struct tunnel_server *server, char *text);

/* Ends the client with that address, and tells the server; false: there is none. */
bool tunnel_server_disconnect(struct tunnel_server *server, unsigned address);

/* Calls `each` with the end of each client's place. */
void tunnel_server_each(struct tunnel_server *server,
	void (*each)(struct relay_end *slot, const struct tunnel_visitor *visitor, void *arg),
	void *arg);

/* A document that came in a frame of address 0: tunnel.c. */
void tunnel_handle(struct client *client, const char *text, size_t len);
