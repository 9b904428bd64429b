/*
 * upload: what goes from the TAP to the node. Frames are read as they come, also while the
 * connection takes nothing, and wait in a fair queue (lib/frames/fair), so that a bulk transfer
 * over a slow way costs nobody else his latency. They leave as batches of lanyard.l2.v1, or as one
 * frame a message, many by one system call, and fewer while the way is the bottleneck. Embedded in
 * its pump; the loop's thread.
 */
#pragma once

#include "agents/carrier.h"

#include "lib/frames/fair.h"
#include "lib/tap.h"
#include "lib/ws.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define UPLOAD_MASKS 256

struct upload {
	/* Set by its owner before upload_init, the rest zero. */
	struct carrier *carrier;
	struct tap *tap;
	bool batches;
	uint32_t mtu; /* of the network: connections are opened with no longer segments */

	struct fair fair;
	bool blocked; /* the connection takes no more: upload_write when it does again */

	/* upload.c's own */
	uint64_t seed;	     /* of flow_hash */
	struct block *block; /* that the TAP is read into */
	uint8_t *out;	     /* whole messages, from out_begin to out_end not yet with carrier */
	size_t out_begin, out_end;
	size_t fill_max;
	uint8_t masks[UPLOAD_MASKS][WS_MASK_LEN];
	size_t masks_used;
};

void upload_init(struct upload *upload);
void upload_finish(struct upload *upload); /* forgets all that waits */

/* Queues what the TAP has, up to a few batches; what tap_read said last. */
ssize_t upload_read(struct upload *upload);

/* Sends what had to wait, and one batch more. TLS_OK: the connection takes all as yet; TLS_WRITE:
 * it is blocked; or TLS_FAILED. */
enum tls_result upload_write(struct upload *upload);

/* Sends a control frame before all that waits; one that finds no room is not sent: the peer takes
 * nothing, and will be dead. */
enum tls_result upload_control(
	struct upload *upload, enum ws_opcode opcode, const void *payload, size_t len);

/* The same with the last of them: frames that wait are forgotten. */
enum tls_result upload_close(struct upload *upload, enum ws_status status, const char *reason);

/* Is there anything to send, when the connection takes it? */
static inline bool upload_waits(const struct upload *upload)
{
	return upload->blocked || upload->fair.n > 0;
}
