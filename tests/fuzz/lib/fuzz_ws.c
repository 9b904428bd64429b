/*
 * ws: any bytes, cut anywhere, read by either end and by a client of vpn-ws. First byte: role and
 * how the rest is cut. The reader must give out the same when it gets everything at once.
 */
#include "lib/ws.h"

#include <stdlib.h>
#include <string.h>

#define MAX_MESSAGE 300

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* What the reader gave out, as a sum that depends on the order. */
static uint64_t read_all(enum ws_role role, const uint8_t *bytes, size_t len, size_t step)
{
	uint8_t buf[WS_READER_CAPACITY(MAX_MESSAGE)];
	struct ws_reader reader;
	struct ws_message message;
	enum ws_result result = WS_MORE;
	uint64_t sum = 1;

	ws_reader_init(&reader, role, buf, sizeof(buf), MAX_MESSAGE);
	for (size_t at = 0, room; at < len && result != WS_BROKEN;) {
		uint8_t *space = ws_reader_space(&reader, &room);
		size_t piece = len - at < step ? len - at : step;

		if (room == 0)
			abort();
		piece = piece < room ? piece : room;
		memcpy(space, bytes + at, piece);
		ws_reader_received(&reader, piece);
		at += piece;
		while ((result = ws_reader_next(&reader, &message)) == WS_MESSAGE) {
			sum = sum * 31 + (unsigned)message.opcode + message.len;
			for (size_t i = 0; i < message.len; i++)
				sum = sum * 31 + message.data[i];
		}
	}
	return sum * 31 + (result == WS_BROKEN ? (uint64_t)reader.status : 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const enum ws_role roles[] = { WS_CLIENT, WS_SERVER, WS_LAX_CLIENT, WS_SERVER };
	enum ws_role role;
	size_t step;

	if (len < 1)
		return 0;
	role = roles[data[0] & 3];
	step = 1 + (data[0] >> 2);
	if (read_all(role, data + 1, len - 1, step) != read_all(role, data + 1, len - 1, len))
		abort();
	return 0;
}
