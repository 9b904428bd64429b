/* fuzz_chunk: chunks of a kite, one after the other: their bytes are in what was read. */
#include "dataplane/pagekite/chunk.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct chunk chunk;
	size_t taken;

	while (size > 0 && chunk_read(&chunk, data, size, &taken) == CHUNK_WHOLE) {
		if (taken > size || (!chunk.noop && !chunk.has_stream) || chunk.data < data ||
			chunk.data + chunk.len != data + taken)
			abort();
		data += taken;
		size -= taken;
	}
	return 0;
}
