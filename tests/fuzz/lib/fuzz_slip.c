/*
 * slip: any bytes as frames, cut anywhere; first byte: how. What comes out does not depend on the
 * cuts, and is what comes out again when it is written as frames.
 */
#include "lib/slip.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* The sum of what was read, which depends on the order. */
static uint64_t read_all(const uint8_t *data, size_t len, size_t step, size_t room)
{
	struct slip_reader reader = { 0 };
	uint8_t out[256];
	uint64_t sum = 1;

	while (len > 0) {
		size_t part = len < step ? len : step;
		const uint8_t *at = data;
		struct slip_piece piece;

		data += part;
		len -= part;
		while (slip_read(&reader, &at, &part, out, room, &piece)) {
			if (piece.len > room)
				abort();
			for (size_t i = 0; i < piece.len; i++)
				sum = sum * 31 + piece.data[i] + piece.address;
			if (piece.final)
				sum = sum * 31 + 1000 + piece.broken;
		}
		if (part != 0)
			abort();
	}
	return sum;
}

static void write_and_read(const uint8_t *data, size_t len)
{
	uint8_t *frame = malloc(SLIP_FRAME_MAX(len));
	uint8_t *out = malloc(len + 1);
	size_t frame_len = slip_write(frame, (unsigned)len & SLIP_ADDRESS_MAX, data, len);
	struct slip_reader reader = { 0 };
	struct slip_piece piece;
	const uint8_t *at = frame;

	if (frame_len > SLIP_FRAME_MAX(len) ||
		!slip_read(&reader, &at, &frame_len, out, len + 1, &piece) || !piece.final ||
		piece.broken || piece.len != len || memcmp(out, data, len) != 0)
		abort();
	free(frame);
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (len < 1)
		return 0;
	if (read_all(data + 1, len - 1, 1 + data[0] % 16, 1 + data[0] / 16) !=
		read_all(data + 1, len - 1, len, 256))
		abort();
	write_and_read(data, len);
	return 0;
}
