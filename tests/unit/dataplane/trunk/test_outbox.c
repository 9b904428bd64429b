/* Frames to another node, and back out of its messages: once for many ports, in order, and bounded.
 */
#include "dataplane/trunk/inbox.h"
#include "dataplane/trunk/outbox.h"
#include "lib/frames/block.h"
#include "lib/mem.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct outbox outbox;
static struct inbox inbox;
static bool room;
static size_t n_messages, n_bytes, n_controls;
static char got[65536];	 /* "2:1,2,3 x60 " : DOWN to 1, 2, 3 with 60 bytes of x */
static size_t piece_len; /* messages are cut into such pieces; 0: not */

static bool has_room(void *context)
{
	(void)context;
	return room;
}

static void send(void *context, const uint8_t *message, size_t len)
{
	size_t step = piece_len > 0 ? piece_len : len;

	(void)context;
	n_messages++;
	n_bytes += len;
	for (size_t at = 0; at < len; at += step) {
		size_t part = len - at < step ? len - at : step;

		cr_assert(inbox_take(&inbox,
			&(struct inbox_piece){ message + at, part, at == 0, at + part == len }));
	}
}

static void on_control(void *context, const uint8_t *bytes, size_t len)
{
	(void)context;
	(void)bytes;
	n_controls += len;
}

static void on_frame(void *context, enum trunk_message what, const uint32_t *ports, size_t n,
	struct packet *frame)
{
	char *at = got + strlen(got);

	(void)context;
	at += sprintf(at, "%s", what == TRUNK_UP ? "up" : "down");
	for (size_t i = 0; i < n; i++)
		at += sprintf(at, ",%u", ports[i]);
	sprintf(at, ":%c%u ", frame->data[frame->len - 1], frame->len);
}

static void open_boxes(void)
{
	outbox = (struct outbox){ .has_room = has_room, .send = send };
	outbox_init(&outbox);
	inbox = (struct inbox){ .control = on_control, .frame = on_frame };
	room = true;
}

static void close_boxes(void)
{
	outbox_finish(&outbox);
	inbox_finish(&inbox);
	fair_trim();
	packet_trim();
	block_trim();
}

TestSuite(outbox, .init = open_boxes, .fini = close_boxes);

static struct packet *frame_new(char fill, size_t len)
{
	struct packet *frame = packet_new(len);

	memset(frame->data, fill, len);
	frame->len = (uint32_t)len;
	return frame;
}

static void push_to(enum trunk_message what, char fill, size_t len, const char *ports)
{
	struct packet *frame = frame_new(fill, len);

	for (; *ports != '\0'; ports++)
		outbox_push(&outbox, what, (uint32_t)(*ports - '0'), frame, 1);
	packet_unref(frame);
}

Test(outbox, a_frame_for_many_ports_goes_once)
{
	push_to(TRUNK_DOWN, 'x', 60, "123");
	outbox_flush(&outbox, 1);
	cr_assert_str_eq(got, "down,1,2,3:x60 ");
	cr_assert_eq(n_messages, 1);
	cr_assert_lt(n_bytes, 100);
}

Test(outbox, frames_to_the_same_ports_are_one_batch)
{
	push_to(TRUNK_UP, 'a', 60, "7");
	push_to(TRUNK_UP, 'b', 1514, "7");
	push_to(TRUNK_UP, 'c', 14, "7");
	push_to(TRUNK_DOWN, 'd', 60, "7");
	push_to(TRUNK_DOWN, 'e', 60, "78");
	outbox_flush(&outbox, 1);
	cr_assert_str_eq(got, "up,7:a60 up,7:b1514 up,7:c14 down,7:d60 down,7,8:e60 ");
	cr_assert_eq(n_messages, 3);
}

Test(outbox, the_longest_frame_to_more_ports_than_one_message_names)
{
	struct packet *frame = frame_new('z', L2_FRAME_MAX);

	piece_len = OUTBOX_BATCH;
	for (uint32_t port = 0; port < OUTBOX_PORTS_MAX + 1; port++)
		outbox_push(&outbox, TRUNK_DOWN, port, frame, 1);
	packet_unref(frame);
	outbox_flush(&outbox, 1);
	cr_assert_eq(n_messages, 2);
	cr_assert_not_null(strstr(got, ",255:z65549 down,256:z65549 "));
}

Test(outbox, what_has_no_room_waits_and_is_bounded)
{
	room = false;
	for (int i = 0; i < 1000; i++)
		push_to(TRUNK_UP, 'x', 60000, "1");
	outbox_flush(&outbox, 1);
	cr_assert_eq(n_messages, 0);
	cr_assert_leq(outbox.fair.bytes, OUTBOX_BYTES_MAX);
	cr_assert_gt(outbox.fair.dropped_full, 0);
	room = true;
	piece_len = OUTBOX_BATCH;
	outbox_flush(&outbox, 1);
	cr_assert_gt(n_messages, 10);
	cr_assert_eq(outbox.fair.n, 0);
}

Test(outbox, pieces_of_any_length_are_one_message)
{
	piece_len = 1;
	push_to(TRUNK_UP, 'a', 60, "7");
	push_to(TRUNK_UP, 'b', 61, "7");
	outbox_flush(&outbox, 1);
	cr_assert_str_eq(got, "up,7:a60 up,7:b61 ");
}

/* ---- what a node should not send ---- */

Test(outbox, what_is_no_message_ends_the_trunk)
{
	static const struct {
		const char *bytes;
		size_t len;
		bool want;
	} rows[] = {
		{ "", 0, false },
		{ "\2", 1, false },			  /* no ports */
		{ "\2\0\0", 3, false },			  /* none of them */
		{ "\2\0\1\0\0\0", 6, false },		  /* half a port */
		{ "\2\0\2\0\0\0\1\0\0\0\2", 11, false },  /* up from two ports */
		{ "\3\0\2\0\0\0\1\0\0\0\2", 11, true },	  /* an empty batch */
		{ "\3\xff\xff\0\0\0\1", 7, false },	  /* more ports than any may name */
		{ "\2\0\1\0\0\0\1\0\0\0\1x", 12, false }, /* a frame that is cut */
		{ "\1", 1, true },
		{ "\x7f later", 7, true },
	};

	for (size_t row = 0; row < ARRAY_LEN(rows); row++)
		cr_assert_eq(
			inbox_take(&inbox, &(struct inbox_piece){ (const uint8_t *)rows[row].bytes,
						   rows[row].len, true, true }),
			rows[row].want, "row %zu", row);
	cr_assert_str_eq(got, "");
}

Test(outbox, a_message_is_bounded_and_has_a_beginning)
{
	static uint8_t bytes[INBOX_MESSAGE_MAX];

	cr_assert_not(inbox_take(&inbox, &(struct inbox_piece){ bytes, 1, false, true }));
	bytes[0] = TRUNK_CONTROL;
	cr_assert(inbox_take(&inbox, &(struct inbox_piece){ bytes, sizeof(bytes), true, false }));
	cr_assert_not(inbox_take(&inbox, &(struct inbox_piece){ bytes, 1, false, true }));
}
