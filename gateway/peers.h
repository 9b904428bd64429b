/*
 * peers: the open connections, and the end of those that take too long: a peer has STEP_MS for each
 * step (one request, one reply, idleness between two), however slowly its bytes drip, and less in a
 * crowd. Thread safe.
 */
#pragma once

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define PEERS_STEP_MS	 30000
#define PEERS_HURRY_MS	 2000
#define PEERS_CROWD	 1024
#define PEERS_ORIGIN_LEN INET6_ADDRSTRLEN

struct peers;
struct peer;

struct peers *peers_create(void);
void peers_destroy(struct peers *peers); /* all removed before; NULL is fine */

/* A connection is there. It must be removed before its socket is closed. */
struct peer *peers_add(struct peers *peers, int fd, const struct sockaddr *address);
void peers_remove(struct peers *peers, struct peer *peer);

/* A step is done: the next one has its time from now. */
void peer_step(struct peer *peer);

/* The client's address, an IPv6 one cut to its /64: what is counted when clients are. */
const char *peer_origin(const struct peer *peer);

/* The client's whole address. */
const char *peer_address(const struct peer *peer);

/* A whole request has come. */
void peer_prove(struct peer *peer);

/* Shuts down the sockets whose step has taken too long at `now_ms`; how many. While there are more
 * than PEERS_CROWD of them, too long is PEERS_HURRY_MS for those who never sent a whole request. */
int peers_sweep(struct peers *peers, int64_t now_ms);
