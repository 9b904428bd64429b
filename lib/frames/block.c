/*
 * block: see block.h.
 */
#include "lib/frames/block.h"

#include "lib/mem.h"

#define KEEP_MAX 16 /* 4 MiB */

static struct block *free_blocks;
static unsigned n_free, n_used;

struct block *block_new(void)
{
	struct block *block = free_blocks;

	if (block) {
		free_blocks = block->next;
		n_free--;
	} else {
		block = aligned_alloc(_Alignof(struct block), sizeof(*block));
		if (!block)
			BUG("out of memory");
	}
	n_used++;
	block->next = NULL;
	block->refs = 1;
	block->used = 0;
	return block;
}

struct block *block_ref(struct block *block)
{
	block->refs++;
	return block;
}

void block_unref(struct block *block)
{
	if (!block || --block->refs > 0)
		return;
	n_used--;
	if (n_free == KEEP_MAX) {
		free(block);
		return;
	}
	block->next = free_blocks;
	free_blocks = block;
	n_free++;
}

unsigned block_count(void)
{
	return n_used;
}

void block_trim(void)
{
	struct block *block;

	while ((block = free_blocks)) {
		free_blocks = block->next;
		free(block);
	}
	n_free = 0;
}
