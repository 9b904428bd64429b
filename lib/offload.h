/*
 * offload: the virtio header that a TAP puts in front of a frame (IFF_VNET_HDR, 10 bytes,
 * little-endian): what the sending kernel left undone. A checksum to be completed, or a super-frame
 * of up to 64 KB that is to be cut into segments.
 *
 * A frame that is offloaded costs a node as much as one that is not and carries forty times the
 * data. But a kernel believes this header, so whoever hands one on checks it against the frame
 * first. No memory, no state; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OFFLOAD_LEN 10

#define OFFLOAD_NEEDS_CHECKSUM 0x01 /* from `start`, into the two bytes at start + offset */
#define OFFLOAD_CHECKED	       0x02 /* the checksums were found good */

enum offload_segments {
	OFFLOAD_NONE = 0,
	OFFLOAD_TCP_IPV4 = 1,
	OFFLOAD_TCP_IPV6 = 4,
	OFFLOAD_UDP = 5,
	OFFLOAD_ECN = 0x80, /* with TCP: only the first segment says CWR */
};

/* More than any kernel makes of one frame; so small segments can't cost a receiver the world. */
#define OFFLOAD_SEGMENTS_MAX 2048
#define OFFLOAD_HEADERS_MAX  256 /* of a super-frame: they stand in each of its segments */

struct offload {
	uint8_t flags;
	uint8_t segments;	  /* enum offload_segments */
	uint16_t header_len;	  /* a hint */
	uint16_t segment_size;	  /* bytes of TCP's or UDP's data in each segment */
	uint16_t checksum_start;  /* an offset from the frame's first byte */
	uint16_t checksum_offset; /* from there */
};

void offload_read(struct offload *offload, const uint8_t bytes[OFFLOAD_LEN]);
void offload_write(const struct offload *offload, uint8_t bytes[OFFLOAD_LEN]);

/* True for a header that says nothing is left to do. */
static inline bool offload_is_plain(const struct offload *offload)
{
	return (offload->flags & OFFLOAD_NEEDS_CHECKSUM) == 0 && offload->segments == OFFLOAD_NONE;
}

/*
 * Does the header fit the frame? If it does:
 *
 * - no flag and no kind of segments but those above, and header_len within the frame;
 * - a checksum lies in an IP packet that is no fragment, and is that of its TCP or UDP header, or
 * of one further in when UDP, GRE or IP carries another packet: so completing it can't change an
 *   address, a port, or anything that a switch has looked at;
 * - segments are of the TCP or UDP packet of the outermost IP header, which ends where the frame
 *   ends, and are at most OFFLOAD_SEGMENTS_MAX.
 */
bool offload_fits(const struct offload *offload, const uint8_t *frame, size_t len);
