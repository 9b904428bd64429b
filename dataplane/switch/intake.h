/*
 * intake: makes packets of the messages that a port's client sends: batches of lanyard.l2.v1, or
 * one frame a message. Frames that come whole stay where they were received; only one that is cut
 * between two pieces is joined in memory of its own. Embedded in its session; the loop's thread.
 */
#pragma once

#include "lib/frames/packet.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct intake {
	/* Set by its owner, the rest zero. */
	bool batches;
	uint64_t seed;					   /* of flow_hash */
	void (*each)(void *context, struct packet *frame); /* borrowed */
	void *context;

	uint64_t skipped; /* frames that could not be used: an unknown flag, a wrong offload */

	/* intake.c's own */
	size_t message_len;	/* so far */
	struct packet *partial; /* a frame whose end has not come yet */
	size_t have; /* bytes of it and its header; L2_LENGTH_LEN at least when `partial` */
	uint8_t length[L2_LENGTH_LEN];
};

/* A piece of a binary message; `block` is where it lies. */
struct intake_piece {
	uint8_t *data;
	size_t len;
	size_t left; /* bytes that are sure to follow */
	bool first;  /* begins a message */
	bool final;  /* ends it */
	struct block *block;
};

enum intake_result {
	INTAKE_OK,
	INTAKE_TOO_BIG, /* the message is longer than any may be */
	INTAKE_BROKEN,	/* it is no batch */
};

/* Forgets what is not whole. */
void intake_finish(struct intake *intake);

/* Calls `each` for every frame that is whole now. After anything but INTAKE_OK no more may come. */
enum intake_result intake_take(struct intake *intake, const struct intake_piece *piece);
