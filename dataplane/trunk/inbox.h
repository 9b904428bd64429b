/*
 * inbox: what another node sends on a trunk, made into packets. Frames stay in the block that their
 * message was put together in. Embedded in its trunk; the loop's thread.
 */
#pragma once

#include "dataplane/trunk/outbox.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INBOX_MESSAGE_MAX (96 * 1024)

struct inbox {
	/* Set by its owner, the rest zero. */
	uint64_t seed; /* of flow_hash */
	void (*control)(void *context, const uint8_t *bytes, size_t len);
	/* Frames come with 1 to OUTBOX_PORTS_MAX ports, TRUNK_UP with one; borrowed. */
	void (*frame)(void *context, enum trunk_message what, const uint32_t *ports, size_t n,
		struct packet *frame);
	void *context;

	/* inbox.c's own */
	struct block *block;
	size_t begin, len; /* of the message so far, in the block */
	bool open;	   /* more of it has to come */
};

struct inbox_piece {
	const uint8_t *data;
	size_t len;
	bool first, final; /* of its message */
};

void inbox_finish(struct inbox *inbox);

/* False: it is no message that a node sends; nothing more may come. */
bool inbox_take(struct inbox *inbox, const struct inbox_piece *piece);
