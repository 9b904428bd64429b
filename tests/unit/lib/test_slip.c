/* slip: frames with an address, in any pieces, and broken ones. */
#include "lib/slip.h"

#include "lib/mem.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

Test(slip, writes_the_bytes_of_the_original)
{
	static const struct {
		unsigned address;
		const char *data;
		const char *want;
		size_t want_len;
	} rows[] = {
		{ 0, "{}\n", "\x00\x00{}\n\xC0", 6 },
		{ 1, "a\xC0z\xDB",
			"\x00\x01"
			"a\xDB\xDCz\xDB\xDD\xC0",
			9 },
		{ 0x01C0, "", "\x01\xDB\xDC\xC0", 4 },
		{ 0xDB00, "", "\xDB\xDD\x00\xC0", 4 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t out[64];
		size_t len = slip_write(out, rows[i].address, rows[i].data, strlen(rows[i].data));

		cr_assert_eq(len, rows[i].want_len, "row %zu: %zu", i, len);
		cr_expect_arr_eq(out, rows[i].want, len, "row %zu", i);
	}
}

/* Reads `len` bytes, `step` at a time with room for `room`, and puts "ADDRESS:DATA;" of each whole
 * frame into `text`, with '!' if it is broken. */
static void read_all(
	const uint8_t *data, size_t len, size_t step, size_t room, char *text, size_t size)
{
	struct slip_reader reader = { 0 };
	char frame[512] = "";
	uint8_t out[512];
	size_t n = 0;

	*text = '\0';
	while (len > 0) {
		size_t part = len < step ? len : step;
		const uint8_t *at = data;
		struct slip_piece piece;

		data += part;
		len -= part;
		while (slip_read(&reader, &at, &part, out, room, &piece)) {
			memcpy(frame + n, piece.data, piece.len);
			n += piece.len;
			if (!piece.final)
				continue;
			snprintf(text + strlen(text), size - strlen(text), "%u:%.*s%s;",
				piece.address, (int)n, frame, piece.broken ? "!" : "");
			n = 0;
		}
	}
}

Test(slip, reads_frames_in_any_pieces)
{
	static const uint8_t data[] =
		"\xC0\x00\x00{}\xC0\xC0\x00\xC0\x12\x34x\xDB\xDCy\xDB\xDDz\xC0"
		"\xFF\xFEq\xC0\x00\x05";

	for (size_t step = 1; step <= sizeof(data); step++)
		for (size_t room = 1; room < 8; room++) {
			char text[256];

			read_all(data, sizeof(data) - 1, step, room, text, sizeof(text));
			cr_expect_str_eq(text, "0:{};4660:x\xC0y\xDBz;65534:q;", "%zu %zu: %s",
				step, room, text);
		}
}

Test(slip, a_broken_frame_costs_itself_only)
{
	static const uint8_t data[] = "\x00\x01good\xC0\x00\x02"
				      "ab\xDBxcd\xC0\x00\x03"
				      "ef\xDB\xC0\x00\x04gh\xC0";
	char text[256];

	read_all(data, sizeof(data) - 1, 3, 64, text, sizeof(text));
	cr_expect_str_eq(text, "1:good;2:ab!;3:ef!;4:gh;", "%s", text);
}

Test(slip, reads_back_what_it_wrote)
{
	uint8_t data[200], frame[SLIP_FRAME_MAX(sizeof(data))];
	uint8_t out[sizeof(data)];
	struct slip_reader reader = { 0 };
	struct slip_piece piece;
	const uint8_t *at = frame;
	size_t len;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7);
	len = slip_write(frame, 300, data, sizeof(data));
	cr_assert(slip_read(&reader, &at, &len, out, sizeof(out), &piece));
	cr_assert_eq(piece.len, sizeof(data));
	cr_expect_eq(piece.address, 300);
	cr_expect_arr_eq(out, data, sizeof(data));
}
