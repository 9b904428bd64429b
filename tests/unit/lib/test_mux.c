/* mux: frames in any pieces, broken ones, and the credit of a stream. */
#include "lib/mux.h"

#include "lib/mem.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

/* Reads a message `step` bytes at a time and writes what its frames say. */
static void read_message(const uint8_t *data, size_t len, size_t step, char *text, size_t size)
{
	struct mux_reader reader = { 0 };
	struct mux_frame frame;
	size_t at = 0, used = 0;
	enum mux_result result = MUX_MORE;

	*text = '\0';
	do {
		size_t part = len - at < step ? len - at : step;

		result = mux_reader_take(&reader, data + at, part, at + part == len, &frame);
		at += part;
		if (result == MUX_FRAME && frame.type == MUX_DATA)
			used += (size_t)snprintf(text + used, size - used, "%.*s", (int)frame.len,
				(const char *)frame.data);
		else if (result == MUX_FRAME)
			used += (size_t)snprintf(text + used, size - used, "%d %u %d%s %u",
				frame.type, frame.stream, frame.kind, frame.address, frame.credit);
	} while (result != MUX_BROKEN && at < len);
	if (result == MUX_BROKEN)
		snprintf(text, size, "broken");
}

Test(mux, what_was_written_is_read_in_any_pieces)
{
	uint8_t frames[5][64];
	size_t lens[5];
	static const char *const want[] = { "1 7 1192.0.2.1 0", "5 4294967295 0 65536", "hello",
		"3 5 0 0", "4 6 0 0" };
	char text[128];

	lens[0] = mux_open(frames[0], 7, MUX_TLS, "192.0.2.1");
	lens[1] = mux_credit(frames[1], UINT32_MAX, 65536);
	lens[2] = mux_header(frames[2], MUX_DATA, 9);
	memcpy(frames[2] + lens[2], "hello", 5);
	lens[2] += 5;
	lens[3] = mux_header(frames[3], MUX_END, 5);
	lens[4] = mux_header(frames[4], MUX_RESET, 6);
	for (size_t i = 0; i < ARRAY_LEN(frames); i++)
		for (size_t step = 1; step <= lens[i]; step++) {
			read_message(frames[i], lens[i], step, text, sizeof(text));
			cr_assert_str_eq(text, want[i], "frame %zu by %zu", i, step);
		}
}

Test(mux, an_address_is_cut_where_a_frame_ends)
{
	char address[200], text[256];
	uint8_t frame[MUX_CONTROL_MAX];
	size_t len;

	memset(address, 'a', sizeof(address));
	address[sizeof(address) - 1] = '\0';
	len = mux_open(frame, 1, MUX_HTTP, address);
	cr_assert_eq(len, sizeof(frame));
	read_message(frame, len, len, text, sizeof(text));
	cr_assert_eq(strlen(text), strlen("1 1 2") + MUX_ADDRESS_MAX + strlen(" 0"));
}

Test(mux, broken_messages_are_found)
{
	static const struct {
		const char *data;
		size_t len;
	} rows[] = {
		{ "", 0 },
		{ "\x02\0\0\0", 4 },
		{ "\x01\0\0\0\1", 5 },	       /* OPEN of nothing */
		{ "\x01\0\0\0\1\3", 6 },       /* of an unknown kind */
		{ "\x01\0\0\0\1\1a b", 9 },    /* an address with a blank */
		{ "\x01\0\0\0\1\1a\n", 8 },    /* with the end of a line */
		{ "\x03\0\0\0\1x", 6 },	       /* END with something */
		{ "\x04\0\0\0\1x", 6 },	       /* RESET too */
		{ "\x05\0\0\0\1\0\0\1", 8 },   /* CREDIT that is cut */
		{ "\x05\0\0\0\1\0\0\0\0", 9 }, /* of nothing */
		{ "\x05\0\0\0\1\x7f\0\0\0", 9 },
		{ "\x05\0\0\0\1\0\0\0\1x", 10 },
		{ "\x06\0\0\0\1", 5 },
		{ "\0\0\0\0\1", 5 },
	};
	char text[128];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (size_t step = 1; step <= 10; step++) {
			read_message((const uint8_t *)rows[i].data, rows[i].len, step, text,
				sizeof(text));
			cr_expect_str_eq(text, "broken", "row %zu by %zu", i, step);
		}
}

Test(mux, a_control_frame_that_never_ends_is_broken)
{
	uint8_t data[2 * MUX_CONTROL_MAX] = { MUX_OPEN, 0, 0, 0, 1, MUX_TLS };
	struct mux_reader reader = { 0 };
	struct mux_frame frame;

	cr_assert_eq(mux_reader_take(&reader, data, sizeof(data), false, &frame), MUX_BROKEN);
}

Test(mux, credit_comes_back_and_grows_with_use)
{
	uint32_t budget = MUX_BUDGET;
	struct mux_grant grant;
	uint32_t told = 0;

	mux_grant_init(&grant);
	cr_assert(mux_grant_take(&grant, MUX_WINDOW));
	cr_assert_not(mux_grant_take(&grant, 1), "no more than was granted");
	cr_assert_eq(mux_grant_return(&grant, 100, &budget), 0, "not for each byte");
	cr_assert_eq(mux_grant_return(&grant, MUX_WINDOW - 100, &budget), 2 * MUX_WINDOW);
	cr_assert_eq(grant.left, 2 * MUX_WINDOW);
	for (int i = 0; i < 100; i++) {
		uint32_t len = grant.left;

		cr_assert(mux_grant_take(&grant, len));
		told = mux_grant_return(&grant, len, &budget);
	}
	cr_assert_eq(told, MUX_WINDOW_MAX);
	cr_assert_eq(grant.left, MUX_WINDOW_MAX);
	cr_assert_eq(budget, MUX_BUDGET - (MUX_WINDOW_MAX - MUX_WINDOW));
	mux_grant_finish(&grant, &budget);
	cr_assert_eq(budget, MUX_BUDGET);
}

Test(mux, without_budget_a_window_stays_as_it_is)
{
	uint32_t budget = MUX_WINDOW - 1;
	struct mux_grant grant;

	mux_grant_init(&grant);
	for (int i = 0; i < 10; i++) {
		cr_assert(mux_grant_take(&grant, MUX_WINDOW));
		cr_assert_eq(mux_grant_return(&grant, MUX_WINDOW, &budget), MUX_WINDOW);
	}
}
