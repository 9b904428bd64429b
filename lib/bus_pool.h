/*
 * bus_pool: the live instances of the fleet, and the pool of req0 sockets to each. A part of
 * lib/bus.
 */
#pragma once

#include "lib/bus.h"
#include "lib/bus_seal.h"
#include "lib/mem.h"

#include <nng/nng.h>

#include <pthread.h>

#define BUS_POOL_MAX	     64	  /* sockets to one instance */
#define BUS_CONNECT_LIMIT_MS 1000 /* a connection that takes longer is none */
#define BUS_PASS_OVER_MS     1000 /* a failed instance rests while others are there */

/* One req0 socket, with one request in flight at most. Belongs to the call that took it; while it
 * is idle, to the pool. */
struct bus_conn {
	struct bus_peer *peer; /* holds a reference */
	nng_socket socket;
	enum { CONN_DIALLING, CONN_UP, CONN_REFUSED } state; /* bus.mutex guards it */
	bool abandoned;	       /* bus.mutex: who dialled it has left and closed the socket */
	_Atomic bool lost;     /* the connection has gone; set by a thread of nng */
	struct bus_conn *next; /* bus_peer.idle */
};

/* One live instance. The bus's mutex guards all that changes. */
struct bus_peer {
	struct bus *bus;
	struct bus_instance at; /* constant */
	uint8_t uuid[SEAL_UUID_LEN];
	int refs;   /* of bus.peers, each socket, each call that uses it */
	bool gone;  /* no longer in bus.peers */
	bool ended; /* it has said that it takes no calls any more */
	int64_t failed_until_ms;
	uint64_t turn; /* bus.turn when it was chosen last */
	int n_conns;   /* idle, in use, or being dialled */
	struct bus_conn *idle;
	pthread_cond_t changed; /* a socket came back, or its dial has ended */
	nng_dialer doorbells;	/* of the thread that calls bus_set_instances; id 0: none */
};

/* Chooses the live instance of the service that is not in `tried` and was not chosen for the
 * longest time, rested ones first, and takes a reference. NULL: there is no other. */
struct bus_peer *peer_next(
	struct bus *bus, const char *service, struct bus_peer *const tried[], size_t n_tried);

/* References to all live instances of the service; the array is in the arena. */
struct bus_peer **peers_of(struct bus *bus, const char *service, struct arena *arena, size_t *n);
void peer_release(struct bus_peer *peer);

/* It takes no calls any more: it is not chosen again. */
void peer_ended(struct bus_peer *peer);

/* Others are preferred for a while. */
void peer_failed(struct bus_peer *peer);

/* Takes an idle socket, or starts to dial a new one; when all are in use, waits for one until the
 * deadline: then NULL. */
struct bus_conn *conn_start(struct bus_peer *peer, int64_t deadline_ms);

/* Waits until it is connected. Takes it if not: false, the instance can't be reached in time. */
bool conn_wait(struct bus_conn *conn, int64_t deadline_ms) MUST_CHECK;

/* Gives it back after a request that was answered. */
void conn_give(struct bus_conn *conn);

/* Closes it: after a request that was not answered it must not be used again. */
void conn_close(struct bus_conn *conn);
