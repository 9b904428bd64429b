/*
 * ws_splitter: pieces of messages however the bytes are cut.
 */
#include "lib/ws_splitter.h"

#include "lib/mem.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define B(text) text, sizeof(text) - 1

/* What is given out when `step` bytes come at a time: "<text>" of each message. */
static void split(const char *text, size_t len, size_t step, char out[256])
{
	uint8_t bytes[256];
	struct ws_splitter splitter;
	enum ws_result result = WS_MORE;
	size_t at = 0, end = 0, n = 0;

	memcpy(bytes, text, len);
	ws_splitter_init(&splitter, WS_SERVER);
	*out = '\0';
	while (result != WS_BROKEN && (end < len || result == WS_MESSAGE)) {
		struct ws_piece piece;
		size_t taken;

		if (result == WS_MORE)
			end = step < len - end ? end + step : len;
		result = ws_splitter_next(&splitter, bytes + at, end - at, &taken, &piece);
		at += taken;
		if (result == WS_MESSAGE)
			n += (size_t)snprintf(out + n, 256 - n, "%s%.*s%s", piece.first ? "<" : "",
				(int)piece.len, (const char *)piece.data, piece.final ? ">" : "");
		else if (result == WS_BROKEN)
			snprintf(out + n, 256 - n, "!%d", splitter.status);
	}
}

Test(ws_splitter, gives_out_the_same_however_bytes_are_cut)
{
	const struct {
		const char *bytes;
		size_t len;
		const char *want;
	} rows[] = {
		{ B("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"), "<Hello>" },
		{ B("\x02\x83\x01\x02\x03\x04`ab\x80\x83\x04\x03\x02\x01ggg"), "<acacde>" },
		{ B("\x82\x80\0\0\0\0"), "<>" },
		{ B("\x81\x82\0\0\0\0\xc3\xa4"), "<\xc3\xa4>" },
		{ B("\x82\x01"
		    "a"),
			"!1002" },
		{ B("\x81\x81\0\0\0\0\xc3"), "!1007" },
	};
	char out[256];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (size_t step = 1; step <= rows[i].len; step++) {
			split(rows[i].bytes, rows[i].len, step, out);
			cr_expect_str_eq(out, rows[i].want, "row %zu, step %zu: %s", i, step, out);
		}
}
