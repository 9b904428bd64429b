/*
 * outlet: what goes out through a port: waits in a fair queue, and is written when the channel has
 * room: as batches of lanyard.l2.v1, or as one frame a message. For the latter, which goes to TAPs
 * without offload, super-frames are cut and checksums completed, when their turn has come. Embedded
 * in its session; the loop's thread.
 */
#pragma once

#include "dataplane/net/channel.h"
#include "lib/frames/packet.h"
#include "lib/frames/fair.h"
#include "lib/segment.h"

#include <stdbool.h>
#include <stdint.h>

#define OUTLET_FRAME_MAX 1514 /* the longest segment that is made for a TAP without offload */

struct outlet {
	bool batches;
	struct fair fair;
	uint64_t n_frames,
		n_bytes; /* written; super-frames are one frame where they are sent as such */

	/* outlet.c's own: a super-frame of which some segments were written, or NULL */
	struct packet *cutting;
	struct segmenter segmenter;
};

void outlet_init(struct outlet *outlet, bool batches);

/* Forgets all that waits. */
void outlet_finish(struct outlet *outlet);

/* Queues the packet; fair_push tells what is dropped. It may be changed in place, for all its
 * receivers, in what is good for each of them: the segment size of a SYN, and later its checksum.
 */
void outlet_push(struct outlet *outlet, struct packet *packet, uint64_t now_us);

/* From the channel's fill: writes what it has room for, and asks for another fill if some is left.
 */
void outlet_write(struct outlet *outlet, struct channel *channel, uint64_t now_us);

static inline bool outlet_is_empty(const struct outlet *outlet)
{
	return outlet->fair.n == 0 && !outlet->cutting;
}
