/* intake: see intake.h. */
#include "dataplane/switch/intake.h"

#include "lib/frames/flow.h"
#include "lib/mem.h"

#include <string.h>

static void give(struct intake *intake, struct packet *packet, const struct offload *offload)
{
	packet->offload = *offload;
	packet->flow = flow_hash(intake->seed, packet->data, packet->len);
	intake->each(intake->context, packet);
}

static size_t at_most(size_t len, size_t max)
{
	return len < max ? len : max;
}

/* ---- one frame a message ---- */

static enum intake_result take_message(struct intake *intake, const struct intake_piece *piece)
{
	static const struct offload none;
	struct packet *packet = intake->partial;

	if (!packet)
		packet = packet_new(piece->final ? piece->len : L2_FRAME_MAX);
	memcpy(packet->data + packet->len, piece->data, piece->len);
	packet->len += (uint32_t)piece->len;
	intake->partial = piece->final ? NULL : packet;
	if (!piece->final)
		return INTAKE_OK;
	l2_write_header(packet->data - L2_HEADER_LEN, &none, packet->len);
	give(intake, packet, &none);
	packet_unref(packet);
	return INTAKE_OK;
}

/* ---- batches ---- */

/* Gives the frames that the bytes begin with and are whole, and tells how many bytes they were. */
static enum intake_result take_whole(
	struct intake *intake, uint8_t *data, size_t len, struct block *block, size_t *taken)
{
	uint8_t *at = data, *end = data + len;
	size_t length = 0;

	while (end - at >= L2_LENGTH_LEN && (length = l2_length(at)) > 0 &&
		length <= (size_t)(end - at)) {
		struct l2_reader reader;
		struct l2_frame frame;
		struct packet *packet;

		l2_reader_init(&reader, at, length);
		at += length;
		if (l2_next(&reader, &frame) != L2_FRAME) {
			intake->skipped++;
			continue;
		}
		packet = packet_in(block, frame.data, frame.len);
		give(intake, packet, &frame.offload);
		packet_unref(packet);
	}
	*taken = (size_t)(at - data);
	return end - at >= L2_LENGTH_LEN && length == 0 ? INTAKE_BROKEN : INTAKE_OK;
}

/* Adds bytes to the frame that is cut, and tells how many it took. */
static enum intake_result join(
	struct intake *intake, const uint8_t *data, size_t len, size_t *taken)
{
	size_t length, n = 0;

	if (!intake->partial) {
		n = at_most(len, L2_LENGTH_LEN - intake->have);
		memcpy(intake->length + intake->have, data, n);
		intake->have += n;
		*taken = n;
		if (intake->have < L2_LENGTH_LEN)
			return INTAKE_OK;
		if ((length = l2_length(intake->length)) == 0)
			return INTAKE_BROKEN;
		intake->partial = packet_new(length - L2_HEADER_LEN);
		intake->partial->len = (uint32_t)(length - L2_HEADER_LEN);
		memcpy(intake->partial->data - L2_HEADER_LEN, intake->length, L2_LENGTH_LEN);
	}
	length = L2_HEADER_LEN + intake->partial->len;
	*taken = n + at_most(len - n, length - intake->have);
	memcpy(intake->partial->data - L2_HEADER_LEN + intake->have, data + n, *taken - n);
	intake->have += *taken - n;
	return INTAKE_OK;
}

static void give_joined(struct intake *intake)
{
	struct packet *packet = intake->partial;
	struct l2_reader reader;
	struct l2_frame frame;

	if (!packet || intake->have < L2_HEADER_LEN + packet->len)
		return;
	intake->partial = NULL;
	intake->have = 0;
	l2_reader_init(&reader, packet->data - L2_HEADER_LEN, L2_HEADER_LEN + packet->len);
	if (l2_next(&reader, &frame) == L2_FRAME)
		give(intake, packet, &frame.offload);
	else
		intake->skipped++;
	packet_unref(packet);
}

static enum intake_result take_batch(struct intake *intake, const struct intake_piece *piece)
{
	enum intake_result result = INTAKE_OK;
	size_t n = 0, at = 0;

	if (intake->have > 0) {
		result = join(intake, piece->data, piece->len, &at);
		give_joined(intake);
	}
	if (result == INTAKE_OK && intake->have == 0) {
		result = take_whole(intake, piece->data + at, piece->len - at, piece->block, &n);
		at += n;
	}
	if (result == INTAKE_OK && at < piece->len)
		result = join(intake, piece->data + at, piece->len - at, &n);
	return result == INTAKE_OK && piece->final && intake->have > 0 ? INTAKE_BROKEN : result;
}

/* ---- both ---- */

void intake_finish(struct intake *intake)
{
	packet_unref(intake->partial);
	intake->partial = NULL;
	intake->have = 0;
}

enum intake_result intake_take(struct intake *intake, const struct intake_piece *piece)
{
	size_t max = intake->batches ? L2_MESSAGE_MAX : L2_FRAME_MAX;

	if (piece->first) {
		intake_finish(intake);
		intake->message_len = 0;
	}
	if (piece->left > max || piece->len + piece->left > max - intake->message_len)
		return INTAKE_TOO_BIG;
	intake->message_len += piece->len;
	return intake->batches ? take_batch(intake, piece) : take_message(intake, piece);
}
