/*
 * mux: a message in two ways of cutting it: both say the same.
 */
#include "lib/mux.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* The sum of what its frames say, which does not depend on the cuts of DATA; 0: it is broken. */
static uint64_t read_all(const uint8_t *data, size_t len, size_t step)
{
	struct mux_reader reader = { 0 };
	struct mux_frame frame;
	uint64_t sum = 1;
	size_t at = 0;

	do {
		size_t part = len - at < step ? len - at : step;
		enum mux_result result =
			mux_reader_take(&reader, data + at, part, at + part == len, &frame);

		at += part;
		if (result == MUX_BROKEN)
			return 0;
		if (result == MUX_MORE)
			continue;
		for (size_t i = 0; frame.type == MUX_DATA && i < frame.len; i++)
			sum = sum * 31 + frame.data[i] + frame.stream;
		if (frame.type != MUX_DATA)
			sum += frame.type + frame.credit + strlen(frame.address);
	} while (at < len);
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (len < 1)
		return 0;
	if (read_all(data + 1, len - 1, 1 + data[0] % 32) != read_all(data + 1, len - 1, len))
		abort();
	return 0;
}
