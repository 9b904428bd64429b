/* l2: batches that are read back as they were written, and what is made of bad ones. */
#include "lib/l2.h"

#include "lib/mem.h"
#include "tests/frames.h"

#include <criterion/criterion.h>

static uint8_t message[L2_MESSAGE_MAX];

/* Reads a frame of `len` bytes as from a TAP; false: there was no room, or it was no frame. */
static bool fill(struct l2_writer *writer, const struct offload *offload, size_t len)
{
	static uint8_t tap[OFFLOAD_LEN + ETHERNET_FRAME_MAX];
	size_t room;
	uint8_t *space = l2_writer_space(writer, &room);

	if (room < OFFLOAD_LEN + len)
		return false;
	offload_write(offload, tap);
	for (size_t i = 0; i < len; i++)
		tap[OFFLOAD_LEN + i] = (uint8_t)(len + i);
	memcpy(space, tap, OFFLOAD_LEN + len);
	return l2_writer_filled(writer, OFFLOAD_LEN + len);
}

Test(l2, frames_come_back)
{
	static const size_t lens[] = { 14, 15, 60, 1514, 65535, 65549 };
	static const struct offload checked = { .flags = OFFLOAD_CHECKED, .header_len = 14 };
	struct l2_writer writer;
	struct l2_reader reader;
	struct l2_frame frame;

	l2_writer_init(&writer, message, sizeof(message));
	for (size_t i = 0; i < ARRAY_LEN(lens); i++)
		cr_assert(fill(&writer, &checked, lens[i]));
	l2_reader_init(&reader, message, writer.len);
	for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
		cr_assert_eq(l2_next(&reader, &frame), L2_FRAME, "%zu bytes", lens[i]);
		cr_assert_eq(frame.len, lens[i]);
		cr_assert_eq(frame.data[0], (uint8_t)lens[i]);
		cr_assert_eq(frame.data[frame.len - 1], (uint8_t)(2 * lens[i] - 1));
		cr_assert_eq(frame.offload.flags, OFFLOAD_CHECKED);
	}
	cr_assert_eq(l2_next(&reader, &frame), L2_END);
}

Test(l2, a_header_alone_is_the_same_bytes)
{
	static const struct offload offload = { 1, 1, 54, 1346, 34, 16 };
	static const uint8_t want[] = { 0, 1, 0, 0, 1, 1, 54, 0, 0x42, 5, 34, 0, 16, 0 };
	uint8_t header[L2_HEADER_LEN];

	l2_write_header(header, &offload, 0x10000);
	cr_assert_arr_eq(header, want, L2_HEADER_LEN);
}

Test(l2, a_full_message_takes_no_more)
{
	static const struct offload none;
	struct l2_writer writer;
	size_t room, n = 0;

	l2_writer_init(&writer, message, sizeof(message));
	while (fill(&writer, &none, 1400))
		n++;
	cr_assert_eq(n, sizeof(message) / (L2_HEADER_LEN + 1400));
	while (fill(&writer, &none, 14))
		n++;
	l2_writer_space(&writer, &room);
	cr_assert_eq(room, 0);
	cr_assert(sizeof(message) - writer.len < L2_HEADER_LEN + L2_FRAME_MIN);
}

Test(l2, what_is_no_frame_is_not_added)
{
	static const struct offload none;
	struct l2_writer writer;

	l2_writer_init(&writer, message, sizeof(message));
	cr_assert(!fill(&writer, &none, 13));
	cr_assert(!l2_writer_filled(&writer, 0));
	cr_assert(!l2_writer_filled(&writer, OFFLOAD_LEN + L2_FRAME_MAX + 1));
	cr_assert_eq(writer.len, 0);
}

/* What the reader makes of the bytes: f for a frame, s for one that is skipped, then . or !. */
static const char *tell(const uint8_t *bytes, size_t len)
{
	static char told[16];
	static const char letters[] = { 'f', 's', '.', '!' };
	AUTO_FREE uint8_t *copy = xmalloc(len + 1);
	struct l2_reader reader;
	struct l2_frame frame;
	enum l2_result result;
	size_t n = 0;

	memcpy(copy + 1, bytes, len);
	l2_reader_init(&reader, copy + 1, len);
	do {
		result = l2_next(&reader, &frame);
		told[n++] = letters[result];
	} while (result != L2_END && result != L2_BROKEN && n < sizeof(told) - 1);
	told[n] = '\0';
	return told;
}

#define B(text)	 text, sizeof(text) - 1
#define PLAIN	 "\0\0\0\0\0\0\0\0\0\0"
#define FRAME	 "fourteen bytes"
#define LEN(len) "\0\0\0" len

Test(l2, bad_batches)
{
	static const struct {
		const char *what, *bytes;
		size_t len;
		const char *want;
	} rows[] = {
		{ "nothing", B(""), "." },
		{ "a frame", B(LEN("\x0e") PLAIN FRAME), "f." },
		{ "two", B(LEN("\x0e") PLAIN FRAME LEN("\x0e") PLAIN FRAME), "ff." },
		{ "a byte after", B(LEN("\x0e") PLAIN FRAME "x"), "f!" },
		{ "a header alone", B(LEN("\x0e") PLAIN), "!" },
		{ "a header cut", B(LEN("\x0e")), "!" },
		{ "13 bytes", B(LEN("\x0d") PLAIN FRAME), "!" },
		{ "no bytes", B(LEN("\x00") PLAIN FRAME), "!" },
		{ "longer than the message", B(LEN("\x0f") PLAIN FRAME), "!" },
		{ "the longest length", B("\x00\xff\xff\xff" PLAIN FRAME), "!" },
		{ "a flag", B("\x01\0\0\x0e" PLAIN FRAME LEN("\x0e") PLAIN FRAME), "sf." },
		{ "the highest flag", B("\x80\0\0\x0e" PLAIN FRAME), "s." },
		{ "a flag, cut", B("\x80\0\0\x0f" PLAIN FRAME), "!" },
		{ "an offload that does not fit",
			B(LEN("\x0e") "\1\0\0\0\0\0\0\0\0\0" FRAME LEN("\x0e") PLAIN FRAME),
			"sf." },
		{ "a hint past the end", B(LEN("\x0e") "\0\0\x0f\0\0\0\0\0\0\0" FRAME), "s." },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect_str_eq(tell((const uint8_t *)rows[i].bytes, rows[i].len), rows[i].want,
			"%s: %s", rows[i].what, tell((const uint8_t *)rows[i].bytes, rows[i].len));
}

Test(l2, no_frame_is_over_the_limit)
{
	bytes_put_be32(message, L2_FRAME_MAX + 1);
	cr_assert_str_eq(tell(message, sizeof(message)), "!");
	bytes_put_be32(message, L2_FRAME_MAX);
	cr_assert_str_eq(tell(message, L2_HEADER_LEN + L2_FRAME_MAX), "f.");
}

/* A reader that does not know the word skips it as any frame with a flag. */
Test(l2, a_word_to_move_is_no_frame)
{
	uint8_t record[L2_HEADER_LEN + L2_CONTROL_LEN];
	struct l2_reader reader;
	struct l2_frame frame;
	uint32_t window_ms = 0;

	l2_write_move(record, 5000);
	l2_reader_init(&reader, record, sizeof(record));
	cr_assert_eq(l2_next(&reader, &frame), L2_SKIPPED);
	cr_assert(l2_read_move(&frame, &window_ms));
	cr_assert_eq(window_ms, 5000);
	cr_assert_eq(l2_next(&reader, &frame), L2_END);

	record[L2_HEADER_LEN] = 2; /* another word */
	l2_reader_init(&reader, record, sizeof(record));
	cr_assert_eq(l2_next(&reader, &frame), L2_SKIPPED);
	cr_assert_not(l2_read_move(&frame, &window_ms));

	record[0] = 0x40; /* another flag */
	record[L2_HEADER_LEN] = 1;
	l2_reader_init(&reader, record, sizeof(record));
	cr_assert_eq(l2_next(&reader, &frame), L2_SKIPPED);
	cr_assert_not(l2_read_move(&frame, &window_ms));
}
