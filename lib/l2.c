/* l2: see l2.h. */
#include "lib/l2.h"

#include "lib/bytes.h"
#include "lib/mem.h"

#include <string.h>

#define LENGTH_MASK 0xffffffU
#define FLAGS_SHIFT 24

#define WORD_MOVE 1 /* the first byte of a word */

void l2_reader_init(struct l2_reader *reader, uint8_t *message, size_t len)
{
	*reader = (struct l2_reader){ message, message + len };
}

size_t l2_length(const uint8_t bytes[L2_LENGTH_LEN])
{
	size_t len = bytes_be32(bytes) & LENGTH_MASK;

	return len < L2_FRAME_MIN || len > L2_FRAME_MAX ? 0 : L2_HEADER_LEN + len;
}

enum l2_result l2_next(struct l2_reader *reader, struct l2_frame *frame)
{
	uint8_t *header = reader->at;
	size_t have = (size_t)(reader->end - header);
	size_t length;

	if (have == 0)
		return L2_END;
	length = have < L2_LENGTH_LEN ? 0 : l2_length(header);
	if (length == 0 || length > have)
		return L2_BROKEN;
	reader->at += length;
	frame->data = header + L2_HEADER_LEN;
	frame->len = length - L2_HEADER_LEN;
	frame->flags = (uint8_t)(bytes_be32(header) >> FLAGS_SHIFT);
	offload_read(&frame->offload, header + L2_LENGTH_LEN);
	if (frame->flags != 0 || !offload_fits(&frame->offload, frame->data, frame->len))
		return L2_SKIPPED;
	return L2_FRAME;
}

void l2_write_header(uint8_t header[L2_HEADER_LEN], const struct offload *offload, size_t len)
{
	bytes_put_be32(header, (uint32_t)len);
	offload_write(offload, header + L2_LENGTH_LEN);
}

void l2_write_move(uint8_t record[L2_HEADER_LEN + L2_CONTROL_LEN], uint32_t window_ms)
{
	uint8_t *word = record + L2_HEADER_LEN;

	memset(record, 0, L2_HEADER_LEN + L2_CONTROL_LEN);
	bytes_put_be32(record, (uint32_t)L2_CONTROL << FLAGS_SHIFT | L2_CONTROL_LEN);
	word[0] = WORD_MOVE;
	bytes_put_be32(word + 4, window_ms);
}

bool l2_read_move(const struct l2_frame *frame, uint32_t *window_ms)
{
	if (frame->flags != L2_CONTROL || frame->data[0] != WORD_MOVE)
		return false;
	*window_ms = bytes_be32(frame->data + 4);
	return true;
}

void l2_writer_init(struct l2_writer *writer, uint8_t *buf, size_t capacity)
{
	if (capacity > L2_MESSAGE_MAX)
		BUG("a message of %zu bytes", capacity);
	*writer = (struct l2_writer){ .buf = buf, .capacity = capacity };
}

uint8_t *l2_writer_space(struct l2_writer *writer, size_t *len)
{
	size_t room = writer->capacity - writer->len;

	*len = room < L2_HEADER_LEN + L2_FRAME_MIN ? 0 : room - L2_LENGTH_LEN;
	return writer->buf + writer->len + L2_LENGTH_LEN;
}

bool l2_writer_filled(struct l2_writer *writer, size_t len)
{
	uint8_t *header = writer->buf + writer->len;

	if (len > writer->capacity - writer->len - L2_LENGTH_LEN)
		BUG("%zu bytes written where %zu fit", len,
			writer->capacity - writer->len - L2_LENGTH_LEN);
	if (len < OFFLOAD_LEN + L2_FRAME_MIN || len > OFFLOAD_LEN + L2_FRAME_MAX)
		return false;
	bytes_put_be32(header, (uint32_t)(len - OFFLOAD_LEN));
	writer->len += L2_LENGTH_LEN + len;
	return true;
}
