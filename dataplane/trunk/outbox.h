/*
 * outbox: frames on their way to another node. A frame for several ports there goes once, with
 * their numbers in front; what has the same ports leaves in one batch. What the trunk does not take
 * waits in a fair queue. Embedded in its trunk; the loop's thread.
 *
 * A message of frames: what it is (8 bits), how many ports (16 bits), their numbers (32 bits each;
 * all big-endian), and a batch of lanyard.l2.v1.
 */
#pragma once

#include "lib/frames/fair.h"
#include "lib/frames/packet.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum trunk_message {
	TRUNK_CONTROL = 1, /* a message of proto/trunk.proto follows */
	TRUNK_UP,	   /* frames from one port of the sender */
	TRUNK_DOWN,	   /* frames for ports of the receiver */
};

#define OUTBOX_PORTS_MAX  256
#define OUTBOX_HEADER_LEN 3
#define OUTBOX_BATCH	  (32 * 1024)	    /* one sealed frame of a link */
#define OUTBOX_BYTES_MAX  (8 * 1024 * 1024) /* wait at most while it stands still */

struct outbox {
	/* Set by its owner, the rest zero but for outbox_init. */
	bool (*has_room)(void *context);
	void (*send)(void *context, const uint8_t *message, size_t len);
	void *context;

	/* outbox.c's own */
	struct fair fair;
	struct packet *frame; /* the last one, whose ports are not all known yet, or NULL */
	enum trunk_message what;
	uint16_t n_ports;
	uint32_t ports[OUTBOX_PORTS_MAX];
};

void outbox_init(struct outbox *outbox);

/* Forgets all that waits. */
void outbox_finish(struct outbox *outbox);

/* Adds the frame, or one more port for the frame that was added last. */
void outbox_push(struct outbox *outbox, enum trunk_message what, uint32_t port,
	struct packet *frame, uint64_t now_us);

/* Sends while there is room; at the end of a turn, and when there is room again. */
void outbox_flush(struct outbox *outbox, uint64_t now_us);
