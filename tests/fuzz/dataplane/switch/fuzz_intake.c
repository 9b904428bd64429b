/*
 * intake: any message, in pieces. First byte: batches or single frames, and the length of the
 * pieces. The frames are the same as when it comes whole, and lie in memory that belongs to them.
 */
#include "dataplane/switch/intake.h"

#include "lib/frames/block.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void each(void *context, struct packet *frame)
{
	uint64_t *sum = context;

	for (uint32_t i = 0; i < frame->len; i++)
		*sum = *sum * 31 + frame->data[i];
	*sum = *sum * 31 + frame->len + frame->offload.segments;
}

static uint64_t take_all(const uint8_t *data, size_t len, bool batches, size_t step)
{
	struct block *block = block_new();
	enum intake_result result = INTAKE_OK;
	uint64_t sum = 1;
	struct intake intake = { .batches = batches, .each = each, .context = &sum };
	size_t at = 0;

	do {
		size_t n = len - at < step ? len - at : step;
		struct intake_piece piece = { .data = block->data + BLOCK_SIZE - n,
			.len = n,
			.first = at == 0,
			.final = at + n == len,
			.block = block };

		memcpy(piece.data, data + at, n);
		result = intake_take(&intake, &piece);
		at += n;
	} while (result == INTAKE_OK && at < len);
	intake_finish(&intake);
	block_unref(block);
	if (block_count() != 0)
		abort();
	return sum * 31 + (uint64_t)result + intake.skipped;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	bool batches;
	size_t step;

	if (len < 2 || len > 60000)
		return 0;
	batches = (data[0] & 1) != 0;
	step = 1 + (data[0] >> 1);
	if (take_all(data + 1, len - 1, batches, step) != take_all(data + 1, len - 1, batches, len))
		abort();
	return 0;
}
