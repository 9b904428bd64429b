/*
 * slip: the framing of a tunnel server's connection (RFC 1055 with an address in front): each frame
 * is a 16-bit big-endian socket address and data, escaped, ended by C0. Address 0 is JSON-RPC.
 * Frames are read in pieces, so they may have any length. Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLIP_ADDRESS_RPC 0
#define SLIP_ADDRESS_MAX 0xFFFE

/* Bytes that `len` bytes of data may need as a frame. */
#define SLIP_FRAME_MAX(len) (2 * ((len) + 2) + 1)

/* Writes a whole frame and returns its length. */
size_t slip_write(uint8_t *out, unsigned address, const void *data, size_t len);

struct slip_reader {
	uint16_t address;
	uint8_t n_address; /* bytes of the address that were read */
	bool escaped;	   /* the last byte was DB */
	bool skipping;	   /* a broken frame: nothing until its end */
};

/* A part of a frame: the next bytes of its data. */
struct slip_piece {
	unsigned address;
	const uint8_t *data;
	size_t len;
	bool final;  /* the frame ends here */
	bool broken; /* it has an escape that is none; what was given out of it is all there is */
};

/*
 * Reads from the bytes at *data, which move on, and unescapes into `out` of `size` bytes. True: a
 * piece; false: all was read and nothing came of it. Frames without a whole address are passed
 * over.
 */
bool slip_read(struct slip_reader *reader, const uint8_t **data, size_t *len, uint8_t *out,
	size_t size, struct slip_piece *piece);
