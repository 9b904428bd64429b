/* outlet: see outlet.h. */
#include "dataplane/switch/outlet.h"

#include "lib/frames/mss.h"
#include "lib/l2.h"

#define BATCH_BYTES (64 * 1024) /* of one message, the last frame may pass it */
#define HELD_MAX    512

/* What vpn-ws-client sends of a frame is 1500 bytes with the 14 of its header: all behind them is
 * cut off. */
#define OLD_CLIENT_MTU 1486

/* Packets whose bytes the channel may still read. */
struct held {
	struct packet *packets[HELD_MAX];
	size_t n;
};

static void release(struct held *held, struct channel *channel)
{
	channel_flush(channel);
	while (held->n > 0)
		packet_unref(held->packets[--held->n]);
}

void outlet_init(struct outlet *outlet, bool batches)
{
	*outlet = (struct outlet){ .batches = batches };
	fair_init(&outlet->fair, FAIR_BYTES_MAX);
}

void outlet_finish(struct outlet *outlet)
{
	packet_unref(outlet->cutting);
	outlet->cutting = NULL;
	fair_finish(&outlet->fair);
}

void outlet_push(struct outlet *outlet, struct packet *packet, uint64_t now_us)
{
	if (!outlet->batches) {
		struct ethernet at;

		ethernet_parse(packet->data, packet->len, &at);
		mss_clamp(packet->data, &at, &packet->offload, OLD_CLIENT_MTU);
	}
	fair_push(&outlet->fair, packet, now_us);
}

/* ---- batches ---- */

/* Adds a frame to the parts of a message, and to the last of them if it lies behind it. */
static void add_frame(struct packet *packet, struct iovec *parts, size_t *n)
{
	uint8_t *header = packet->data - L2_HEADER_LEN;
	size_t len = L2_HEADER_LEN + packet->len;

	l2_write_header(header, &packet->offload, packet->len);
	if (*n > 0 && (uint8_t *)parts[*n - 1].iov_base + parts[*n - 1].iov_len == header)
		parts[*n - 1].iov_len += len;
	else
		parts[(*n)++] = (struct iovec){ header, len };
}

/* Writes one message. False: nothing is left, or there is no room. */
static bool write_batch(
	struct outlet *outlet, struct channel *channel, uint64_t now_us, struct held *held)
{
	struct iovec parts[CHANNEL_PARTS_MAX];
	size_t n = 0, len = 0, room = channel_room(channel);
	size_t enough = room < BATCH_BYTES ? room : BATCH_BYTES;
	struct packet *packet;

	while (len < enough && n < CHANNEL_PARTS_MAX && held->n < HELD_MAX &&
		(packet = fair_pop(&outlet->fair, now_us))) {
		add_frame(packet, parts, &n);
		len += L2_HEADER_LEN + packet->len;
		held->packets[held->n++] = packet;
		outlet->n_frames++;
		outlet->n_bytes += packet->len;
	}
	return n > 0 && channel_write(channel, WS_BINARY, true, parts, n);
}

/* ---- one frame a message ---- */

static void write_frame(
	struct outlet *outlet, struct channel *channel, const struct iovec *parts, size_t n)
{
	channel_write(channel, WS_BINARY, true, parts, n);
	outlet->n_frames++;
	for (size_t i = 0; i < n; i++)
		outlet->n_bytes += parts[i].iov_len;
}

/* Writes segments of the super-frame until it is done, or there is no room. */
static void write_segments(struct outlet *outlet, struct channel *channel, struct held *held)
{
	struct segment segment;

	while (channel_room(channel) > 0) {
		if (!segment_next(&outlet->segmenter, &segment)) {
			held->packets[held->n++] = outlet->cutting;
			outlet->cutting = NULL;
			return;
		}
		write_frame(outlet, channel,
			(struct iovec[]){ { segment.headers, segment.headers_len },
				{ segment.data, segment.len } },
			2);
	}
}

/* Writes one packet, or as much of it as there is room for. False: nothing is left. */
static bool write_single(
	struct outlet *outlet, struct channel *channel, uint64_t now_us, struct held *held)
{
	struct packet *packet;

	if (outlet->cutting) {
		write_segments(outlet, channel, held);
		return true;
	}
	packet = fair_pop(&outlet->fair, now_us);
	if (!packet)
		return false;
	if (packet->offload.segments != OFFLOAD_NONE) {
		segment_begin(&outlet->segmenter, packet->data, packet->len, &packet->offload,
			OUTLET_FRAME_MAX);
		outlet->cutting = packet;
		return true;
	}
	segment_complete(packet->data, packet->len, &packet->offload);
	write_frame(outlet, channel, &(struct iovec){ packet->data, packet->len }, 1);
	held->packets[held->n++] = packet;
	return true;
}

/* ---- both ---- */

void outlet_write(struct outlet *outlet, struct channel *channel, uint64_t now_us)
{
	struct held held = { .n = 0 };
	bool more = true;

	while (more && channel_room(channel) > 0) {
		more = outlet->batches ? write_batch(outlet, channel, now_us, &held)
				       : write_single(outlet, channel, now_us, &held);
		if (held.n == HELD_MAX)
			release(&held, channel);
	}
	release(&held, channel);
	if (!outlet_is_empty(outlet))
		channel_wake(channel);
}
