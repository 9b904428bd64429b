/* ws: what a reader makes of a byte stream, however it is cut; frames to send; the handshake's
 * keys. */
#include "lib/ws.h"

#include "lib/mem.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#define MAX_MESSAGE 65549

static uint8_t buf[WS_READER_CAPACITY(MAX_MESSAGE)];

/* Gives the reader `bytes` in pieces of `step`; false when there is no more. */
static bool feed(
	struct ws_reader *reader, const uint8_t *bytes, size_t len, size_t step, size_t *at)
{
	size_t room, piece = len - *at < step ? len - *at : step;
	uint8_t *space = ws_reader_space(reader, &room);

	cr_assert(room > 0);
	piece = piece < room ? piece : room;
	memcpy(space, bytes + *at, piece);
	ws_reader_received(reader, piece);
	*at += piece;
	return piece > 0;
}

/* Writes down all that the reader gives out, e.g. "2:hello 9: !1002". */
static void tell(
	enum ws_role role, const uint8_t *bytes, size_t len, size_t step, char *told, size_t size)
{
	FILE *out = fmemopen(told, size, "w");
	struct ws_reader reader;
	struct ws_message message;
	enum ws_result result = WS_MORE;
	size_t at = 0;

	ws_reader_init(&reader, role, buf, sizeof(buf), MAX_MESSAGE);
	while (result != WS_BROKEN && feed(&reader, bytes, len, step, &at))
		while ((result = ws_reader_next(&reader, &message)) == WS_MESSAGE)
			if (message.len > 32)
				fprintf(out, "%x:<%zu> ", message.opcode, message.len);
			else
				fprintf(out, "%x:%.*s ", message.opcode, (int)message.len,
					(const char *)message.data);
	if (result == WS_BROKEN) {
		cr_expect(reader.why != NULL);
		cr_expect(ws_reader_next(&reader, &message) == WS_BROKEN, "stays broken");
		fprintf(out, "!%d", reader.status);
	}
	fputc('\0', out);
	fclose(out);
}

#define B(text) text, sizeof(text) - 1

struct row {
	const char *what;
	const char *bytes;
	size_t len;
	const char *want;
};

static void expect(enum ws_role role, const struct row *row)
{
	char told[512];

	for (size_t step = 1; step <= row->len + 1; step++) {
		tell(role, (const uint8_t *)row->bytes, row->len, step, told, sizeof(told));
		cr_expect_str_eq(told, row->want, "%s, in pieces of %zu", row->what, step);
	}
}

Test(ws, client_reads)
{
	static const struct row rows[] = {
		{ "a text", B("\x81\x05hello"), "1:hello " },
		{ "a binary", B("\x82\x02hi"), "2:hi " },
		{ "an empty message", B("\x82\x00"), "2: " },
		{ "two messages",
			B("\x82\x01"
			  "a"
			  "\x82\x01"
			  "b"),
			"2:a 2:b " },
		{ "a message not yet whole", B("\x82\x05hell"), "" },
		{ "fragments", B("\x02\x02he\x00\x02ll\x80\x01o"), "2:hello " },
		{ "empty fragments", B("\x02\x00\x00\x02hi\x80\x00"), "2:hi " },
		{ "control frames between fragments",
			B("\x02\x02he\x89\x01p\x00\x02ll\x8a\x00\x80\x01o"), "9:p a: 2:hello " },
		{ "a message after fragments",
			B("\x01\x01"
			  "a"
			  "\x80\x01"
			  "b"
			  "\x82\x01"
			  "c"),
			"1:ab 2:c " },
		{ "a character cut by fragments", B("\x01\x01\xc3\x80\x01\xbc"), "1:\xc3\xbc " },
		{ "ping",
			B("\x89\x03"
			  "abc"),
			"9:abc " },
		{ "close without a code", B("\x88\x00"), "8: " },
		{ "close with a code", B("\x88\x02\x03\xe8"), "8:\x03\xe8 " },
		{ "close with a reason",
			B("\x88\x05\x0b\xb8"
			  "bye"),
			"8:\x0b\xb8"
			"bye " },

		{ "RSV1",
			B("\xc2\x01"
			  "a"),
			"!1002" },
		{ "RSV2",
			B("\xa2\x01"
			  "a"),
			"!1002" },
		{ "RSV3 of a ping", B("\x99\x00"), "!1002" },
		{ "opcode 3", B("\x83\x00"), "!1002" },
		{ "opcode 7", B("\x87\x00"), "!1002" },
		{ "opcode 11", B("\x8b\x00"), "!1002" },
		{ "opcode 15", B("\x8f\x00"), "!1002" },
		{ "a mask",
			B("\x82\x81\x01\x02\x03\x04"
			  "a"),
			"!1002" },
		{ "a continuation of nothing",
			B("\x80\x01"
			  "a"),
			"!1002" },
		{ "a continuation after the end",
			B("\x02\x01"
			  "a"
			  "\x80\x01"
			  "b"
			  "\x80\x01"
			  "c"),
			"2:ab !1002" },
		{ "a message inside a message",
			B("\x02\x01"
			  "a"
			  "\x82\x01"
			  "b"),
			"!1002" },
		{ "a fragmented ping",
			B("\x09\x01"
			  "a"),
			"!1002" },
		{ "an over-long ping", B("\x89\x7e\x00\x7e"), "!1002" },
		{ "an over-long close", B("\x88\x7f\x00\x00\x00\x00\x00\x01\x00\x00"), "!1002" },
		{ "125 bytes in 16 bits", B("\x82\x7e\x00\x7d"), "!1002" },
		{ "no bytes in 16 bits", B("\x82\x7e\x00\x00"), "!1002" },
		{ "65535 bytes in 64 bits", B("\x82\x7f\x00\x00\x00\x00\x00\x00\xff\xff"),
			"!1002" },
		{ "the highest bit", B("\x82\x7f\x80\x00\x00\x00\x00\x00\x00\x00"), "!1002" },
		{ "over the limit", B("\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x0e"), "!1009" },
		{ "a petabyte", B("\x82\x7f\x00\x04\x00\x00\x00\x00\x00\x00"), "!1009" },
		{ "what came before counts", B("\x82\x02hi\x83\x00"), "2:hi !1002" },

		{ "text that is not UTF-8", B("\x81\x02\xc3\x28"), "!1007" },
		{ "binary need not be", B("\x82\x01\xff"), "2:\xff " },
		{ "half a code", B("\x88\x01\x03"), "!1002" },
		{ "code 0", B("\x88\x02\x00\x00"), "!1002" },
		{ "code 999", B("\x88\x02\x03\xe7"), "!1002" },
		{ "code 1004", B("\x88\x02\x03\xec"), "!1002" },
		{ "code 1005", B("\x88\x02\x03\xed"), "!1002" },
		{ "code 1006", B("\x88\x02\x03\xee"), "!1002" },
		{ "code 1014", B("\x88\x02\x03\xf6"), "8:\x03\xf6 " },
		{ "code 1015", B("\x88\x02\x03\xf7"), "!1002" },
		{ "code 2999", B("\x88\x02\x0b\xb7"), "!1002" },
		{ "code 4999", B("\x88\x02\x13\x87"), "8:\x13\x87 " },
		{ "code 5000", B("\x88\x02\x13\x88"), "!1002" },
		{ "a reason that is not UTF-8", B("\x88\x03\x03\xe8\xff"), "!1007" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		expect(WS_CLIENT, &rows[i]);
}

Test(ws, lax_client_reads)
{
	static const struct row rows[] = {
		{ "a binary", B("\x82\x02hi"), "2:hi " },
		{ "fragments are messages", B("\x02\x02he\x00\x02ll\x80\x01o"), "2:he 2:ll 2:o " },
		{ "text is not looked at", B("\x81\x01\xff"), "2:\xff " },
		{ "reserved bits", B("\xf2\x02hi"), "2:hi " },
		{ "long forms", B("\x82\x7e\x00\x02hi\x82\x7f\0\0\0\0\0\0\x00\x02ho"),
			"2:hi 2:ho " },
		{ "a mask",
			B("\x82\x82"
			  "aaaa"
			  "\x09\x08"),
			"2:hi " },
		{ "control frames", B("\x89\x01p\x02\x01z\x8a\x00\x88\x00"), "9:p 2:z a: 8: " },
		{ "a control frame with a mask",
			B("\x89\x81"
			  "aaaa"
			  "a"),
			"!1002" },
		{ "an unknown opcode", B("\x83\x00"), "!1002" },
		{ "a length with its highest bit", B("\x82\x7f\xff\0\0\0\0\0\0\0"), "!1002" },
		{ "too long", B("\x00\x7f\0\0\0\0\0\x01\0\x0e"), "!1009" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		expect(WS_LAX_CLIENT, &rows[i]);
}

Test(ws, server_reads)
{
	static const struct row rows[] = {
		{ "the example of RFC 6455", B("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"),
			"1:Hello " },
		{ "masked fragments",
			B("\x02\x81\x01\x00\x00\x00"
			  "`"
			  "\x80\x82\x01\x01\x00\x00"
			  "cb"),
			"2:abc " },
		{ "a masked ping", B("\x89\x80\x01\x02\x03\x04"), "9: " },
		{ "no mask",
			B("\x82\x01"
			  "a"),
			"!1002" },
		{ "a ping without a mask, as vpn-ws-client sends it", B("\x89\x00"), "9: " },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		expect(WS_SERVER, &rows[i]);
}

/* ---- sending, read back by the other end ---- */

static size_t build(uint8_t *out, enum ws_opcode opcode, size_t len, const uint8_t *mask)
{
	size_t header_len = ws_header(out, opcode, len, mask);

	cr_assert_eq(header_len, ws_header_len(len, mask != NULL));
	for (size_t i = 0; i < len; i++)
		out[header_len + i] = (uint8_t)(i * 7);
	if (mask != NULL)
		ws_mask(out + header_len, len, mask);
	return header_len + len;
}

static void expect_back(enum ws_role role, size_t len, const uint8_t *mask)
{
	static uint8_t frame[WS_HEADER_MAX + MAX_MESSAGE];
	struct ws_reader reader;
	struct ws_message message;
	size_t room, frame_len = build(frame, WS_BINARY, len, mask);
	uint8_t *space;

	ws_reader_init(&reader, role, buf, sizeof(buf), MAX_MESSAGE);
	space = ws_reader_space(&reader, &room);
	cr_assert(room >= frame_len);
	memcpy(space, frame, frame_len);
	ws_reader_received(&reader, frame_len);
	cr_assert(ws_reader_next(&reader, &message) == WS_MESSAGE, "%zu bytes", len);
	cr_assert_eq(message.len, len);
	for (size_t i = 0; i < len; i++)
		cr_assert(message.data[i] == (uint8_t)(i * 7), "byte %zu of %zu", i, len);
	cr_assert(ws_reader_next(&reader, &message) == WS_MORE);
}

Test(ws, frames_of_each_length_come_back)
{
	static const uint8_t mask[WS_MASK_LEN] = { 0x12, 0x00, 0xfe, 0x80 };
	static const size_t lens[] = { 0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 124, 125, 126, 127, 1414,
		65534, 65535, 65536, MAX_MESSAGE };

	for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
		expect_back(WS_CLIENT, lens[i], NULL);
		expect_back(WS_SERVER, lens[i], mask);
	}
}

Test(ws, masks_like_the_definition)
{
	static const uint8_t mask[WS_MASK_LEN] = { 0xa5, 0x01, 0x7f, 0xc3 };
	uint8_t data[67];

	for (size_t start = 0; start < 8; start++)
		for (size_t len = 0; start + len <= sizeof(data); len++) {
			memset(data, 0x5a, sizeof(data));
			ws_mask(data + start, len, mask);
			for (size_t i = 0; i < sizeof(data); i++) {
				bool inside = i >= start && i < start + len;

				cr_assert_eq(data[i], inside ? 0x5a ^ mask[(i - start) % 4] : 0x5a);
			}
		}
}

/* A payload that is masked piece by piece, from elsewhere, is masked like one in one piece. */
Test(ws, masks_on_the_way)
{
	static const uint8_t mask[WS_MASK_LEN] = { 0xa5, 0x01, 0x7f, 0xc3 };
	uint8_t data[301], out[301], want[301];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = want[i] = (uint8_t)(i * 7);
	ws_mask(want, sizeof(want), mask);
	for (size_t piece = 1; piece <= sizeof(data); piece++) {
		memset(out, 0, sizeof(out));
		for (size_t at = 0, len; at < sizeof(data); at += len) {
			len = sizeof(data) - at < piece ? sizeof(data) - at : piece;
			ws_mask_copy(out + at, data + at, len, mask, at);
		}
		cr_assert_arr_eq(out, want, sizeof(out), "pieces of %zu", piece);
	}
}

/* A message of `len` bytes in fragments of 1009, a ping after each. */
static size_t build_fragments(uint8_t *out, size_t len)
{
	size_t used = 0;

	for (size_t at = 0, piece; at < len; at += piece) {
		size_t begin = used;

		piece = len - at < 1009 ? len - at : 1009;
		used += build(out + used, at == 0 ? WS_BINARY : WS_CONTINUATION, piece, NULL);
		if (at + piece < len)
			out[begin] &= 0x7f;
		used += build(out + used, WS_PING, 1, NULL);
	}
	return used;
}

Test(ws, joins_a_message_up_to_the_limit_and_not_beyond)
{
	static uint8_t stream[2 * MAX_MESSAGE];
	static const size_t steps[] = { 1, 13, 4096, sizeof(stream) };
	static char told[4096];
	size_t len;

	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		len = build_fragments(stream, MAX_MESSAGE);
		tell(WS_CLIENT, stream, len, steps[i], told, sizeof(told));
		cr_expect_not_null(strstr(told, " 2:<65549> "), "pieces of %zu", steps[i]);
		cr_expect_null(strstr(told, "!"), "pieces of %zu", steps[i]);

		len = build_fragments(stream, MAX_MESSAGE + 1);
		tell(WS_CLIENT, stream, len, steps[i], told, sizeof(told));
		cr_expect_null(strstr(told, "2:"), "pieces of %zu", steps[i]);
		cr_expect_not_null(strstr(told, "!1009"), "pieces of %zu", steps[i]);
	}
}

Test(ws, cuts_control_frames_to_size)
{
	static const uint8_t mask[WS_MASK_LEN] = { 1, 2, 3, 4 };
	uint8_t out[WS_HEADER_MAX + WS_CONTROL_MAX];
	char reason[200];
	char told[512];

	memset(reason, 'x', sizeof(reason) - 1);
	reason[sizeof(reason) - 1] = '\0';
	cr_assert_eq(ws_close(out, WS_STATUS_TOO_BIG, reason, mask), 6 + WS_CONTROL_MAX);
	tell(WS_SERVER, out, 6 + WS_CONTROL_MAX, 1, told, sizeof(told));
	cr_assert_str_eq(told, "8:<125> ");
	cr_assert_eq(ws_close(out, WS_STATUS_NORMAL, "bye", NULL), 2 + 5);
	cr_assert_arr_eq(out,
		"\x88\x05\x03\xe8"
		"bye",
		7);
	cr_assert_eq(ws_control(out, WS_PONG, NULL, 0, NULL), 2);
}

Test(ws, tells_the_close_code)
{
	uint8_t bytes[] = { 0x03, 0xf4, 'x' };
	struct ws_message message = { WS_CLOSE, bytes, sizeof(bytes) };

	cr_assert_eq(ws_close_status(&message), WS_STATUS_RESTART);
	message.len = 0;
	cr_assert_eq(ws_close_status(&message), WS_STATUS_NONE);
}

/* ---- the opening handshake ---- */

Test(ws, answers_the_key_of_the_rfc)
{
	char accept[WS_ACCEPT_SIZE];

	ws_accept("dGhlIHNhbXBsZSBub25jZQ==", accept);
	cr_assert_str_eq(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

Test(ws, makes_a_new_key_each_time)
{
	char first[WS_KEY_SIZE], second[WS_KEY_SIZE];

	ws_key(first);
	ws_key(second);
	cr_assert_eq(strlen(first), WS_KEY_SIZE - 1);
	cr_assert_str_eq(first + WS_KEY_SIZE - 3, "==");
	cr_assert_str_neq(first, second);
}
