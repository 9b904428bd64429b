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

bool utf8_valid(const uint8_t *text, size_t len);
