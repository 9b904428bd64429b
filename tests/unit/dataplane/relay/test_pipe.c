/* pipe: pieces come out as they went in, whole or in parts, and an empty pipe owns nothing. */
#include "dataplane/relay/pipe.h"

#include "lib/mem.h"

#include <criterion/criterion.h>

#include <string.h>

static void push(struct pipe *pipe, const char *text, bool first, bool final)
{
	pipe_push(pipe, &(struct pipe_piece){ .data = (const uint8_t *)text,
				.len = strlen(text),
				.text = true,
				.first = first,
				.final = final });
}

Test(pipe, keeps_order_and_borders)
{
	struct pipe pipe = { 0 };
	struct pipe_piece piece;

	cr_expect_not(pipe_peek(&pipe, &piece));
	push(&pipe, "hello", true, false);
	push(&pipe, "", false, true);
	push(&pipe, "x", true, true);
	cr_expect_eq(pipe.bytes, 6);
	cr_assert(pipe_peek(&pipe, &piece));
	cr_expect(piece.len == 5 && memcmp(piece.data, "hello", 5) == 0 && piece.first &&
		  !piece.final && piece.text);
	pipe_take(&pipe, 2);
	cr_assert(pipe_peek(&pipe, &piece));
	cr_expect(piece.len == 3 && memcmp(piece.data, "llo", 3) == 0 && !piece.first);
	pipe_take(&pipe, 3);
	cr_assert(pipe_peek(&pipe, &piece));
	cr_expect(piece.len == 0 && !piece.first && piece.final);
	pipe_take(&pipe, 0);
	cr_assert(pipe_peek(&pipe, &piece));
	cr_expect(piece.len == 1 && piece.first && piece.final);
	pipe_take(&pipe, 1);
	cr_expect(pipe_is_empty(&pipe));
	pipe_release(&pipe);
	cr_expect(!pipe.first && !pipe.last && !pipe.spent);
	cr_expect_eq(pipe.bytes, 0);
}

Test(pipe, takes_pieces_of_any_length)
{
	static uint8_t big[300 * 1024];
	struct pipe pipe = { 0 };
	struct pipe_piece piece;
	size_t left = 0;

	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (uint8_t)(i * 31 >> 3);
	for (size_t len = 1; len <= sizeof(big); len = len * 3 + 1) {
		pipe_push(&pipe, &(struct pipe_piece){ .data = big, .len = len, .first = true });
		left += len;
	}
	cr_expect_eq(pipe.bytes, left);
	for (size_t len = 1; len <= sizeof(big); len = len * 3 + 1)
		for (size_t at = 0; at < len;) {
			size_t take;

			cr_assert(pipe_peek(&pipe, &piece));
			cr_assert_eq(piece.len, len - at);
			cr_assert_eq(memcmp(piece.data, big + at, piece.len), 0);
			take = piece.len < 1000 ? piece.len : piece.len / 2;
			pipe_take(&pipe, take);
			at += take;
		}
	cr_expect(pipe_is_empty(&pipe));
	pipe_release(&pipe);
	push(&pipe, "rest", true, true);
	pipe_finish(&pipe);
	cr_expect(pipe_is_empty(&pipe));
}
