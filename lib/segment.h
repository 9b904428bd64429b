/*
 * segment: what a TAP with offload would have done, for ports that have none: checksums, and the
 * segments of super-frames. No memory, no state; any thread.
 *
 * Offloads come from lib/l2 and fit their frames (offload_fits), nothing is checked again here.
 */
#pragma once

#include "lib/ethernet.h"
#include "lib/offload.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Completes the checksum of a frame that is no super-frame, in place; its offload is then plain. */
void segment_complete(uint8_t *frame, size_t len, struct offload *offload);

/* Takes the first segment away from a super-frame, in place: it begins so many bytes later now. 0:
 * it is one segment, nothing was done. The bytes in front of it are not kept. */
size_t segment_drop_first(uint8_t *frame, size_t len, struct offload *offload);

/* Where the cutting of a super-frame is. */
struct segmenter {
	uint8_t *frame;
	struct ethernet at;
	bool is_tcp;
	uint32_t headers; /* their length */
	uint32_t size;	  /* of a segment's data */
	uint32_t cut;	  /* data bytes that are in segments already */
	uint32_t n;	  /* segments so far */
};

/* A segment: headers in memory of its own, and data where the super-frame lies. */
struct segment {
	uint8_t headers[OFFLOAD_HEADERS_MAX];
	size_t headers_len;
	uint8_t *data;
	size_t len;
};

/* Begins; keeps the frame. TCP's segments become no longer than `frame_max`; datagrams stay as they
 * are. */
void segment_begin(struct segmenter *segmenter, uint8_t *frame, size_t len,
	const struct offload *offload, size_t frame_max);

/* The next segment; false: there is none. */
bool segment_next(struct segmenter *segmenter, struct segment *out);
