/*
 * queue: what waits to be written to one connection, first in first out, bounded in bytes of
 * memory. Embedded in its connection; the loop's thread.
 */
#pragma once

#include "dataplane/net/channel.h"
#include "dataplane/net/packet.h"

#include <stdbool.h>
#include <stddef.h>

#define QUEUE_BYTES_MAX (1024 * 1024)

struct queue {
	struct packet **slots; /* ring, a power of two of them */
	size_t n_slots;
	size_t first;
	size_t n;
	size_t bytes; /* packet_cost of all */
	size_t bytes_max;
};

void queue_init(struct queue *queue, size_t bytes_max);

/* Forgets all that waits. */
void queue_finish(struct queue *queue);

/* Adds a reference to the packet at the end. False: there is no room, nothing was changed. */
bool queue_push(struct queue *queue, struct packet *packet);

/* From the fill of a channel's face: writes packets as frames as far as there is room, and asks for
 * another fill if some are left. Returns the bytes of their payload. */
size_t queue_write(struct queue *queue, struct channel *channel);

/* The first one, borrowed; NULL if there is none. */
struct packet *queue_peek(const struct queue *queue);

/* Takes the first one out: the caller has its reference now; NULL if there is none. */
struct packet *queue_pop(struct queue *queue);

bool queue_is_empty(const struct queue *queue);
