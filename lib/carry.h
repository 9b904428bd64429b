/*
 * carry: makes valid UTF-8 of a stream of bytes that comes in chunks cut anywhere: a character that
 * is cut waits for its rest, what is no UTF-8 becomes U+FFFD. Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CARRY_MAX 3 /* bytes of a character that may wait */

struct carry {
	uint8_t bytes[CARRY_MAX];
	uint8_t n;
};

/* Bytes that `len` bytes may become. */
#define CARRY_OUT_MAX(len) (3 * ((len) + CARRY_MAX))

/* Writes what is whole by now and returns its length; `out` has room for CARRY_OUT_MAX(len). */
size_t carry_next(struct carry *carry, const uint8_t *data, size_t len, uint8_t *out);

/* The stream is over: writes what still waits, CARRY_OUT_MAX(0) at most. */
size_t carry_end(struct carry *carry, uint8_t *out);

/* Length of the beginning of `data` that is whole, valid UTF-8. */
size_t carry_valid(const uint8_t *data, size_t len);

/* Could `len` bytes (at most CARRY_MAX) be the beginning of a character? */
bool carry_may_begin(const uint8_t *data, size_t len);
