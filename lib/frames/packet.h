/*
 * packet: one piece of payload on its way from a connection to one or many others, counted by
 * reference: an Ethernet frame, or what a relay passes on.
 *
 * A broadcast to a thousand ports is one packet. A packet lies in the block that it was received
 * into, or has memory of its own; the common sizes of that are kept for reuse. The PACKET_HEADROOM
 * bytes in front of the payload belong to it, and hold the header of its frame (lib/l2.h) where
 * there is one. All of this belongs to the loop's thread.
 */
#pragma once

#include "lib/l2.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACKET_HEADROOM 16    /* L2_HEADER_LEN at least */
#define PACKET_MAX	66592 /* largest payload: the longest frame with what a trunk puts in front */

struct block;

enum packet_kind { PACKET_BINARY, PACKET_TEXT, PACKET_CONTINUATION };

struct packet {
	struct packet *next; /* packet.c: free list */
	struct block *block; /* NULL: the memory is its own */
	uint8_t *data;
	uint32_t refs;
	uint32_t capacity; /* of its own memory */
	uint32_t len;

	/* a frame's */
	uint32_t flow; /* of its connection (flow_hash) */
	struct offload offload;

	/* a relay's */
	enum packet_kind kind;
	bool final; /* the last piece of its message */

	_Alignas(16) uint8_t memory[];
};

/* A packet with one reference, room for at least `capacity` bytes and len 0; a whole binary message
 * unless the caller says otherwise. `capacity` is at most PACKET_MAX. */
struct packet *packet_new(size_t capacity);

/* A packet with one reference and the `len` bytes at `data`, which lie in the block behind
 * L2_HEADER_LEN bytes that belong to them; or a copy, when too many blocks are held already. */
struct packet *packet_in(struct block *block, uint8_t *data, size_t len);

struct packet *packet_ref(struct packet *packet);

/* Gives a reference back. NULL is fine. */
void packet_unref(struct packet *packet);

/* What it holds of this process's memory; queues are bounded in this, not in payload, so that a
 * flood of tiny messages cannot hold more than a few large ones. */
size_t packet_cost(const struct packet *packet);

/* Frees what is kept for reuse. */
void packet_trim(void);
