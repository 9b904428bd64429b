/*
 * block: memory that sockets are read into, counted by reference.
 *
 * All connections of the loop read into one block, so that one that is idle owns none. Who wants
 * bytes of it for longer than the call that gave them takes a reference, or copies them: a
 * reference to a few bytes keeps the whole block. A few free blocks are kept for reuse. The loop's
 * thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define BLOCK_SIZE (256 * 1024)

struct block {
	struct block *next; /* block.c: free list */
	uint32_t refs;
	uint32_t used; /* bytes from the beginning that somebody may point to */
	_Alignas(64) uint8_t data[BLOCK_SIZE];
};

/* A block with one reference, nothing of it used. */
struct block *block_new(void);

struct block *block_ref(struct block *block);

/* Gives a reference back. NULL is fine. */
void block_unref(struct block *block);

/* Blocks that somebody has a reference to. */
unsigned block_count(void);

/* Frees what is kept for reuse. */
void block_trim(void);
