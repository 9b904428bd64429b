/*
 * base64: decoding of outside text (RFC 4648), strictly.
 *
 * sodium_base642bin takes bytes of 0x80 and above for characters of the alphabet, so that one value
 * would have many texts: what it is given is checked first.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Decodes `len` characters of libsodium's `variant` into `out`, which has room for `max` bytes. */
bool base64_decode(
	const char *text, size_t len, int variant, void *out, size_t max, size_t *out_len);
