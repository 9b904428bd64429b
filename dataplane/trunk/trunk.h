/*
 * trunk: one of the trunks, as the files here share it: trunk.c is the connection, edge.c what this
 * node's sessions are at the other one, seat.c what the other one's sessions are here.
 */
#pragma once

#include "dataplane/relay/relay.h"
#include "dataplane/switch/switch.h"
#include "dataplane/trunk/ask.h"
#include "dataplane/trunk/inbox.h"
#include "dataplane/trunk/outbox.h"
#include "dataplane/trunk/trunks.h"
#include "lib/hash.h"
#include "lib/uuid.h"
#include "proto/trunk.pb-c.h"

struct carried;
struct places;
struct seat;
struct trunk;

struct trunks {
	struct dataplane *dataplane;
	struct places *places;
	struct trunk *by_node;
	uv_timer_t timer;   /* each second */
	uv_check_t flusher; /* runs at the end of a turn in which frames were pushed */
	uint64_t seed;	    /* of flow_hash */
	unsigned n_ticks;
	bool closing;
};

enum trunk_state {
	TRUNK_IDLE,
	TRUNK_CONNECTING, /* we are, or the other node is about to */
	TRUNK_OPEN,
};

struct trunk {
	struct uplink uplink; /* first: of networks whose home is the other node */
	struct trunks *trunks;
	char node[UUID_SIZE];
	char name[HOME_NAME_SIZE]; /* as it says; "": it has not yet */
	bool stops;		   /* likewise */
	enum trunk_state state;
	int64_t since_ms; /* of the state */
	int64_t heard_ms;
	struct relay_end *far; /* TRUNK_OPEN */
	struct outbox outbox;
	struct inbox inbox;
	bool dirty; /* there is something to flush */

	struct carried *carried; /* by number */
	uint64_t heard_sequence; /* of Stations */
	bool resync;		 /* was asked for */

	struct seat *seats; /* by number */
	uint64_t told_sequence;

	UT_hash_handle hh; /* trunks.by_node */
};

/* The trunk to the node, if it is open; else NULL, and it is being connected to from now on. */
struct trunk *trunk_want(struct trunks *trunks, const char *node);

bool trunk_is_open(const struct trunk *trunk);

/* Says what this node is called, and whether it stops. */
void trunk_tell_node(struct trunk *trunk, bool stops);

/* Sends what the message holds; nothing if the trunk is not open. */
void trunk_send(struct trunk *trunk, const Trunk__Control *control);

/* Sends a frame at the end of the turn. */
void trunk_push(struct trunk *trunk, enum trunk_message what, uint32_t port, struct packet *frame);

/* Ends the connection: the other node does not speak as nodes do. */
void trunk_break(struct trunk *trunk, const char *why);

/* One message: TRUNK_SEND(trunk, LEAVE, leave, TRUNK__LEAVE__INIT, .port = 1). */
#define TRUNK_SEND(trunk, CASE, field, message)                                                    \
	do {                                                                                       \
		Trunk__Control trunk_control = TRUNK__CONTROL__INIT;                               \
		trunk_control.what_case = TRUNK__CONTROL__WHAT_##CASE;                             \
		trunk_control.field = (message);                                                   \
		trunk_send(trunk, &trunk_control);                                                 \
	} while (0)

/* What addresses of ports come to: the same at both ends when both know the same ones, in any
 * order. */
uint64_t trunk_sum(uint64_t sum, uint32_t port, uint64_t mac);
