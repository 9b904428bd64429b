/*
 * ws_splitter: however bytes are cut, it gives out the same messages, and stays within them.
 */
#include "lib/ws_splitter.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static uint64_t mix(uint64_t sum, uint64_t value)
{
	return sum * 1099511628211 + value;
}

/* A digest of all that is given out when `step` bytes come at a time. */
static uint64_t split(const uint8_t *data, size_t len, size_t step)
{
	uint8_t *bytes = malloc(len + 1);
	struct ws_splitter splitter;
	enum ws_result result = WS_MORE;
	size_t at = 0, end = 0;
	uint64_t sum = 1;

	memcpy(bytes, data, len);
	ws_splitter_init(&splitter, WS_SERVER);
	while (result != WS_BROKEN && (end < len || result == WS_MESSAGE)) {
		struct ws_piece piece;
		size_t taken;

		if (result == WS_MORE)
			end = step < len - end ? end + step : len;
		result = ws_splitter_next(&splitter, bytes + at, end - at, &taken, &piece);
		if (taken > end - at)
			abort();
		if (result == WS_MESSAGE) {
			if (piece.len > 0 && (piece.data < bytes + at ||
						     piece.data + piece.len > bytes + at + taken))
				abort();
			if (piece.first)
				sum = mix(sum, piece.opcode);
			for (size_t i = 0; i < piece.len; i++)
				sum = mix(sum, piece.data[i]);
			if (piece.final)
				sum = mix(sum, 256);
		}
		at += taken;
	}
	free(bytes);
	return result == WS_BROKEN ? 0 : sum; /* a fault may be seen before what lies before it */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint64_t whole = split(data, len, len + 1);

	if (split(data, len, 1) != whole || split(data, len, 7) != whole)
		abort();
	return 0;
}
