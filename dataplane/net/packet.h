/*
 * packet: one piece of payload on its way from a connection to one or many others, counted by
 * reference.
 *
 * A broadcast to a thousand ports is one packet. Packets of the common sizes are kept for reuse.
 * All of this belongs to the loop's thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACKET_MAX 65552 /* largest payload: a message of 65,549 bytes, rounded up */

enum packet_kind { PACKET_BINARY, PACKET_TEXT, PACKET_CONTINUATION };

struct packet {
	struct packet *next; /* packet.c: free list */
	uint32_t refs;
	uint32_t capacity;
	uint32_t len;
	uint32_t flow; /* of its connection (flow_hash) */
	enum packet_kind kind;
	bool final; /* the last piece of its message */
	_Alignas(16) uint8_t data[];
};

/* A packet with one reference, room for at least `capacity` bytes and len 0; a whole binary message
 * unless the caller says otherwise. `capacity` is at most PACKET_MAX. */
struct packet *packet_new(size_t capacity);

struct packet *packet_ref(struct packet *packet);

/* Gives a reference back. NULL is fine. */
void packet_unref(struct packet *packet);

/* What it holds of this process's memory; queues are bounded in this, not in payload, so that a
 * flood of tiny messages cannot hold more than a few large ones. */
size_t packet_cost(const struct packet *packet);

/* Frees what is kept for reuse. */
void packet_trim(void);
