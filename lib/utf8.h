/*
 * utf8: is it UTF-8 (RFC 3629)? No surrogates, no over-long forms, nothing above U+10FFFF. Control
 * characters and NUL are characters like any other. Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Length of the well-formed sequence that begins the `len` bytes at `text`, 0 if there is none. */
size_t utf8_sequence(const uint8_t *text, size_t len);

/* The same, but 0 for control characters (C0, DEL, C1) too. */
size_t utf8_printable(const uint8_t *text, size_t len);

bool utf8_valid(const uint8_t *text, size_t len);

/* Copies as many whole characters as fit into `size` bytes with a NUL, '?' in the place of each
 * that is a control character. Ends at what is no UTF-8. */
void utf8_copy(char *out, size_t size, const char *text);

/* ---- text that comes in parts ---- */

/* Begins as all zero. */
struct utf8_state {
	uint8_t need;	   /* bytes of a sequence still to come */
	uint8_t low, high; /* the next of them */
};

/* False: what came so far is not UTF-8, whatever follows. */
bool utf8_go_on(struct utf8_state *state, const uint8_t *part, size_t len);

/* Could the text end here? */
bool utf8_is_whole(const struct utf8_state *state);
