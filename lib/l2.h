/*
 * l2: the WebSocket subprotocol lanyard.l2.v1. A binary message is a batch of Ethernet frames, each
 *
 *     4 bytes    big-endian: its length in the low 24 bits, flags in the high 8
 *     10 bytes   what is left to do for it (lib/offload.h), as a TAP reads and writes it
 *     14 to 65549 bytes   the frame
 *
 * A frame with a flag that the receiver does not know is skipped. One is known, L2_CONTROL: it is
 * no frame, but a word for the receiver itself. The last 10 bytes of the header and the frame lie
 * together, so they go from and to a TAP in one system call, and a node sends on the bytes that it
 * received. No I/O, no memory; an object belongs to one thread at a time.
 */
#pragma once

#include "lib/ethernet.h"
#include "lib/offload.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define L2_PROTOCOL    "lanyard.l2.v1"
#define L2_LENGTH_LEN  4
#define L2_HEADER_LEN  (L2_LENGTH_LEN + OFFLOAD_LEN)
#define L2_FRAME_MIN   ETHERNET_HEADER_LEN
#define L2_FRAME_MAX   ETHERNET_FRAME_MAX
#define L2_MESSAGE_MAX (256 * 1024)

#define L2_CONTROL     0x80
#define L2_CONTROL_LEN L2_FRAME_MIN /* of a word, behind its header */

/* ---- receiving ---- */

struct l2_frame {
	uint8_t *data; /* in the message; the L2_HEADER_LEN bytes in front are its header */
	size_t len;
	struct offload offload;
	uint8_t flags;
};

enum l2_result {
	L2_FRAME,   /* `frame` is filled, and its offload fits */
	L2_SKIPPED, /* a frame with a flag, or an offload that doesn't fit: go on */
	L2_END,	    /* no more */
	L2_BROKEN,  /* a length that can't be, or a frame that is cut: the rest means nothing */
};

struct l2_reader {
	uint8_t *at, *end; /* what was not read yet */
};

/* Begins a message, which stays where it is while its frames are used. */
void l2_reader_init(struct l2_reader *reader, uint8_t *message, size_t len);

/* How long the frame with its header is that begins with these bytes; 0: it can't be. */
size_t l2_length(const uint8_t bytes[L2_LENGTH_LEN]);

enum l2_result l2_next(struct l2_reader *reader, struct l2_frame *frame);

/* ---- sending ---- */

/* Writes the header of a frame of `len` bytes that lies, or will lie, behind it. */
void l2_write_header(uint8_t header[L2_HEADER_LEN], const struct offload *offload, size_t len);

/* The word "move": the receiver shall open another session at a random moment within the window,
 * and then close this one. Writes it with its header. */
void l2_write_move(uint8_t record[L2_HEADER_LEN + L2_CONTROL_LEN], uint32_t window_ms);

/* Is what was skipped that word? */
bool l2_read_move(const struct l2_frame *frame, uint32_t *window_ms);

/* A message that is being made in a buffer. */
struct l2_writer {
	uint8_t *buf;
	size_t capacity; /* at most L2_MESSAGE_MAX */
	size_t len;	 /* of the message so far */
};

/* Begins a message; keeps `buf`. */
void l2_writer_init(struct l2_writer *writer, uint8_t *buf, size_t capacity);

/* Where a TAP may put its 10 bytes and a frame, and how many bytes fit: 0 when there is no room for
 * a frame. */
uint8_t *l2_writer_space(struct l2_writer *writer, size_t *len);

/* Tells that the TAP put `len` bytes there. False, and nothing is added, if they are no frame. */
bool l2_writer_filled(struct l2_writer *writer, size_t len);
