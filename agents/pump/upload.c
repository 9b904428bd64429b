/* upload: see upload.h. */
#include "agents/pump/upload.h"

#include "lib/clock.h"
#include "lib/frames/block.h"
#include "lib/frames/flow.h"
#include "lib/frames/mss.h"
#include "lib/l2.h"
#include "lib/mem.h"

#include <sodium.h>

#include <string.h>

#define READ_FRAMES	64
#define READ_BYTES	(128 * 1024) /* no further frame is read after these */
#define FILL_MAX	(96 * 1024)  /* no further frame is sent after these */
#define FILL_MIN	(32 * 1024)  /* the same while the connection is the bottleneck */
#define FRAME_ROOM	(WS_HEADER_MAX + L2_HEADER_LEN + TAP_FRAME_MAX)
#define CONTROL_RESERVE (4 * (WS_HEADER_MAX + WS_CONTROL_MAX))
#define OUT_SIZE	(FILL_MAX + FRAME_ROOM + CONTROL_RESERVE)
#define ALIGNMENT	8 /* of the headers that the TAP writes */

void upload_init(struct upload *upload)
{
	upload->out = xmalloc(OUT_SIZE);
	upload->fill_max = FILL_MAX;
	upload->masks_used = UPLOAD_MASKS;
	randombytes_buf(&upload->seed, sizeof(upload->seed));
	fair_init(&upload->fair, FAIR_BYTES_MAX);
}

void upload_finish(struct upload *upload)
{
	fair_finish(&upload->fair);
	block_unref(upload->block);
	free(upload->out);
}

/* ---- from the TAP ---- */

/* A block with room for any frame: the same one while nobody else has a part of it. */
static struct block *block_to_read(struct upload *upload)
{
	struct block *block = upload->block;

	if (block != NULL && block->refs == 1)
		block->used = 0;
	if (block == NULL || BLOCK_SIZE - block->used < L2_HEADER_LEN + TAP_FRAME_MAX) {
		block_unref(block);
		upload->block = block_new();
	}
	return upload->block;
}

/* Queues a frame that lies in the block behind the header that the TAP gave it. One whose header
 * does not fit no node would take. */
static void queue_frame(struct upload *upload, uint8_t *data, size_t len)
{
	struct offload offload;
	struct ethernet at;
	struct packet *packet;

	offload_read(&offload, data - OFFLOAD_LEN);
	if (!offload_fits(&offload, data, len)) {
		upload->tap->dropped++;
		return;
	}
	packet = packet_in(upload->block, data, len);
	packet->offload = offload;
	packet->flow = flow_hash(upload->seed, data, len);
	ethernet_parse(packet->data, len, &at);
	mss_clamp(packet->data, &at, &offload, upload->mtu);
	fair_push(&upload->fair, packet, (uint64_t)clock_us());
	packet_unref(packet);
}

ssize_t upload_read(struct upload *upload)
{
	size_t bytes = 0;
	ssize_t len = 0;

	for (int n = 0; n < READ_FRAMES && bytes < READ_BYTES; n++) {
		struct block *block = block_to_read(upload);
		uint8_t *frame = block->data + block->used + L2_HEADER_LEN;
		size_t taken;

		len = tap_read(upload->tap, frame - TAP_HEADER_LEN, frame, TAP_FRAME_MAX);
		if (len <= 0)
			break;
		taken = L2_HEADER_LEN + (size_t)len;
		block->used += (uint32_t)((taken + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
		bytes += taken;
		queue_frame(upload, frame, (size_t)len);
	}
	return len;
}

/* ---- to the node ---- */

/* A fresh unpredictable mask for each frame (RFC 6455, 10.3), made many at a time. */
static const uint8_t *next_mask(struct upload *upload)
{
	if (upload->masks_used == UPLOAD_MASKS) {
		randombytes_buf(upload->masks, sizeof(upload->masks));
		upload->masks_used = 0;
	}
	return upload->masks[upload->masks_used++];
}

/* Hands what is in `out` to the connection. */
static enum tls_result flush(struct upload *upload)
{
	enum tls_result result =
		carrier_drain(upload->carrier, upload->out, &upload->out_begin, &upload->out_end);

	if (result == TLS_FAILED)
		return TLS_FAILED;
	upload->blocked = result != TLS_OK;
	return upload->blocked ? TLS_WRITE : TLS_OK;
}

/* Both make masked messages of what waits, in `out`, which is empty. A frame is masked on the way
 * from where it lies, with the header that belongs in front of it there. */
static void fill_batch(struct upload *upload, uint64_t now_us)
{
	uint8_t *payload = upload->out + WS_HEADER_MAX;
	const uint8_t *mask = next_mask(upload);
	struct packet *packet;
	size_t len = 0;

	while (len < upload->fill_max && (packet = fair_pop(&upload->fair, now_us))) {
		uint8_t *header = packet->data - L2_HEADER_LEN;

		l2_write_header(header, &packet->offload, packet->len);
		ws_mask_copy(payload + len, header, L2_HEADER_LEN + packet->len, mask, len);
		len += L2_HEADER_LEN + packet->len;
		packet_unref(packet);
	}
	if (len == 0)
		return;
	upload->out_begin = WS_HEADER_MAX - ws_header_len(len, true);
	ws_header(upload->out + upload->out_begin, WS_BINARY, len, mask);
	upload->out_end = WS_HEADER_MAX + len;
}

static void fill_frames(struct upload *upload, uint64_t now_us)
{
	struct packet *packet;

	while (upload->out_end < upload->fill_max && (packet = fair_pop(&upload->fair, now_us))) {
		uint8_t *at = upload->out + upload->out_end;
		const uint8_t *mask = next_mask(upload);
		size_t header_len = ws_header(at, WS_BINARY, packet->len, mask);

		ws_mask_copy(at + header_len, packet->data, packet->len, mask, 0);
		upload->out_end += header_len + packet->len;
		packet_unref(packet);
	}
}

/* Small fills keep the queue here, where it is fair, and not in the connection. */
static void adapt(struct upload *upload, size_t filled)
{
	if (upload->blocked)
		upload->fill_max = FILL_MIN;
	else if (filled >= upload->fill_max && upload->fill_max < FILL_MAX)
		upload->fill_max += FILL_MIN;
}

enum tls_result upload_write(struct upload *upload)
{
	enum tls_result result = flush(upload);
	size_t filled;

	if (result != TLS_OK || upload->fair.n == 0)
		return result;
	if (upload->batches)
		fill_batch(upload, (uint64_t)clock_us());
	else
		fill_frames(upload, (uint64_t)clock_us());
	filled = upload->out_end;
	result = flush(upload);
	adapt(upload, filled);
	return result;
}

static bool has_control_room(const struct upload *upload)
{
	return upload->out_end + WS_HEADER_MAX + WS_CONTROL_MAX <= OUT_SIZE;
}

/* Sends the control frame that was put into `out`. */
static enum tls_result put_control(struct upload *upload, size_t len)
{
	upload->out_end += len;
	return upload->blocked ? TLS_WRITE : flush(upload);
}

enum tls_result upload_control(
	struct upload *upload, enum ws_opcode opcode, const void *payload, size_t len)
{
	if (!has_control_room(upload))
		return TLS_WRITE;
	return put_control(upload,
		ws_control(upload->out + upload->out_end, opcode, payload, len, next_mask(upload)));
}

enum tls_result upload_close(struct upload *upload, enum ws_status status, const char *reason)
{
	fair_finish(&upload->fair);
	if (!has_control_room(upload))
		return TLS_WRITE;
	return put_control(
		upload, ws_close(upload->out + upload->out_end, status, reason, next_mask(upload)));
}
