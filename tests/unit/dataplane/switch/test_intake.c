/*
 * intake: the same frames come out however messages are cut; nothing of one is read past what
 * came; what is too long or no batch is refused.
 */
#include "dataplane/switch/intake.h"

#include "lib/frames/block.h"
#include "lib/mem.h"
#include "tests/frames.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct intake intake;
static struct block *block;
static char told[4096];
static unsigned n_in_place;

/* Writes down the length and the sum of a frame, and if its header is in front of it. */
static void each(void *context, struct packet *frame)
{
	uint8_t header[L2_HEADER_LEN];
	unsigned sum = 0;

	(void)context;
	for (uint32_t i = 0; i < frame->len; i++)
		sum = sum * 31 + frame->data[i];
	l2_write_header(header, &frame->offload, frame->len);
	cr_expect_arr_eq(frame->data - L2_HEADER_LEN, header, L2_HEADER_LEN);
	cr_expect(frame->flow != 0);
	n_in_place += frame->block != NULL;
	snprintf(told + strlen(told), sizeof(told) - strlen(told), "%u:%x ", frame->len, sum);
}

static void init(bool batches)
{
	intake_finish(&intake);
	block_unref(block);
	block = block_new();
	intake = (struct intake){ .batches = batches, .seed = 1, .each = each };
	told[0] = '\0';
	n_in_place = 0;
}

static void finish(void)
{
	intake_finish(&intake);
	block_unref(block);
	cr_expect_eq(block_count(), 0);
	block_trim();
	packet_trim();
}

TestSuite(intake, .fini = finish);

/* Gives a message in pieces of `step`, each in memory that ends where it does. */
static enum intake_result give(const uint8_t *message, size_t len, size_t step)
{
	enum intake_result result = INTAKE_OK;
	size_t at = 0;

	do {
		size_t n = len - at < step ? len - at : step;
		uint8_t *end = block->data + BLOCK_SIZE;
		struct intake_piece piece = { .data = end - n,
			.len = n,
			.left = len - at - n,
			.first = at == 0,
			.final = at + n == len,
			.block = block };

		memcpy(piece.data, message + at, n);
		result = intake_take(&intake, &piece);
		at += n;
	} while (result == INTAKE_OK && at < len);
	return result;
}

/* A batch of frames of these lengths. */
static size_t batch(uint8_t *out, const size_t *lens, size_t n)
{
	static const struct offload none;
	size_t at = 0;

	for (size_t i = 0; i < n; i++) {
		l2_write_header(out + at, &none, lens[i]);
		for (size_t j = 0; j < lens[i]; j++)
			out[at + L2_HEADER_LEN + j] = (uint8_t)(i * 3 + j);
		at += L2_HEADER_LEN + lens[i];
	}
	return at;
}

Test(intake, batches_give_the_same_frames_however_they_are_cut)
{
	static const size_t lens[] = { 60, 14, 1514, 15, 300 };
	uint8_t message[4000];
	char whole[sizeof(told)];
	size_t len = batch(message, lens, ARRAY_LEN(lens));

	init(true);
	cr_assert_eq(give(message, len, len), INTAKE_OK);
	cr_assert_eq(n_in_place, ARRAY_LEN(lens), "none is copied");
	strcpy(whole, told);
	for (size_t step = 1; step < len; step++) {
		init(true);
		cr_assert_eq(give(message, len, step), INTAKE_OK);
		cr_assert_str_eq(told, whole, "in pieces of %zu", step);
	}
}

Test(intake, super_frames_too)
{
	static const size_t lens[] = { 65549, 60, 65549, 65549 };
	static const size_t steps[] = { 100, 16384, 65536, 100000 };
	static uint8_t message[L2_MESSAGE_MAX];
	char whole[sizeof(told)];
	size_t len = batch(message, lens, ARRAY_LEN(lens));

	init(true);
	cr_assert_eq(give(message, len, len), INTAKE_OK);
	strcpy(whole, told);
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		init(true);
		cr_assert_eq(give(message, len, steps[i]), INTAKE_OK);
		cr_assert_str_eq(told, whole, "in pieces of %zu", steps[i]);
	}
}

Test(intake, one_frame_a_message)
{
	static const size_t steps[] = { 1, 7, 1000, 65549 };
	static uint8_t message[65549];
	char whole[sizeof(told)] = "";

	for (size_t i = 0; i < sizeof(message); i++)
		message[i] = (uint8_t)(i * 7);
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		init(false);
		cr_assert_eq(give(message, 60, steps[i]), INTAKE_OK);
		cr_assert_eq(give(message, sizeof(message), steps[i]), INTAKE_OK);
		cr_assert_eq(give(message, 14, steps[i]), INTAKE_OK);
		if (i == 0)
			strcpy(whole, told);
		cr_assert_str_eq(told, whole);
	}
	cr_assert_eq(strncmp(whole, "60:", 3), 0);
}

Test(intake, a_message_has_an_end)
{
	static uint8_t message[L2_MESSAGE_MAX + 1];
	struct intake_piece piece = { .data = message, .len = 10, .left = SIZE_MAX, .first = true };

	init(false);
	cr_expect_eq(give(message, 65549, 65549), INTAKE_OK);
	cr_expect_eq(give(message, 65550, 65550), INTAKE_TOO_BIG);
	init(false);
	cr_expect_eq(give(message, 65550, 10), INTAKE_TOO_BIG, "told by the first piece");
	init(true);
	cr_expect_eq(give(message, L2_MESSAGE_MAX + 1, 100), INTAKE_TOO_BIG);
	cr_expect_eq(intake_take(&intake, &piece), INTAKE_TOO_BIG);
}

Test(intake, fragments_without_end_are_too_big)
{
	static uint8_t bytes[1000];
	struct intake_piece piece = { .data = bytes, .len = sizeof(bytes), .first = true };
	unsigned n = 0;

	init(false);
	while (intake_take(&intake, &piece) == INTAKE_OK && n < 1000) {
		piece.first = false;
		n++;
	}
	cr_assert_eq(n, 65);
}

Test(intake, what_is_no_batch)
{
	static const size_t lens[] = { 60, 60 };
	uint8_t message[200];
	size_t len = batch(message, lens, 2);

	for (size_t step = 1; step <= len; step += 5) {
		init(true);
		cr_expect_eq(give(message, len - 1, step), INTAKE_BROKEN, "cut, step %zu", step);
		cr_expect_eq(strncmp(told, "60:", 3), 0, "what came before it counts");
		init(true);
		cr_expect_eq(give(message, len / 2 + 2, step), INTAKE_BROKEN, "step %zu", step);
		message[len / 2 + 3] = 13;
		init(true);
		cr_expect_eq(give(message, len, step), INTAKE_BROKEN, "13 bytes, step %zu", step);
		message[len / 2 + 3] = 60;
	}
}

Test(intake, frames_that_cannot_be_used_are_skipped)
{
	static const size_t lens[] = { 60, 60, 60 };
	uint8_t message[300];
	size_t len = batch(message, lens, 3);

	message[0] = 1;			    /* a flag */
	message[74 + L2_LENGTH_LEN] = 0xff; /* an offload */
	for (size_t step = 1; step <= len; step++) {
		init(true);
		cr_expect_eq(give(message, len, step), INTAKE_OK);
		cr_expect_eq(intake.skipped, 2);
		cr_expect_eq(strncmp(told, "60:", 3), 0);
		cr_expect_eq(strchr(told, ' ')[1], '\0', "only one");
	}
}

/* The WebSocket connection allows it: a message ends where another begins. */
Test(intake, a_message_that_never_ended_is_forgotten)
{
	static const size_t lens[] = { 60 };
	uint8_t message[100];
	size_t len = batch(message, lens, 1);

	init(true);
	for (size_t n = 1; n < len; n++) {
		struct intake_piece piece = { message, n, .first = true, .block = block };

		told[0] = '\0';
		cr_assert_eq(intake_take(&intake, &piece), INTAKE_OK);
		cr_assert_str_eq(told, "");
		cr_assert_eq(give(message, len, len), INTAKE_OK);
		cr_assert_eq(strncmp(told, "60:", 3), 0);
	}
}

Test(intake, empty_messages_are_nothing)
{
	init(true);
	cr_assert_eq(give((const uint8_t *)"", 0, 1), INTAKE_OK);
	cr_assert_str_eq(told, "");
}
