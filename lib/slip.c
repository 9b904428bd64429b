/*
 * slip: see slip.h.
 */
#include "lib/slip.h"

#include <string.h>

#define END	0xC0
#define ESC	0xDB
#define ESC_END 0xDC
#define ESC_ESC 0xDD

#define LOOK_AHEAD 512

static uint8_t *put(uint8_t *out, uint8_t byte)
{
	if (byte == END || byte == ESC) {
		*out++ = ESC;
		*out++ = byte == END ? ESC_END : ESC_ESC;
	} else {
		*out++ = byte;
	}
	return out;
}

/* Length of the run at `data` that holds nothing to escape. Looks ahead a little only: else data
 * with many of one byte and none of the other would be looked through again and again. */
static size_t plain_run(const uint8_t *data, size_t len)
{
	const uint8_t *end, *esc;

	len = len < LOOK_AHEAD ? len : LOOK_AHEAD;
	end = memchr(data, END, len);
	len = end ? (size_t)(end - data) : len;
	esc = memchr(data, ESC, len);
	return esc ? (size_t)(esc - data) : len;
}

size_t slip_write(uint8_t *out, unsigned address, const void *data, size_t len)
{
	const uint8_t *at = data;
	uint8_t *start = out;

	out = put(out, (uint8_t)(address >> 8));
	out = put(out, (uint8_t)address);
	while (len > 0) {
		size_t run = plain_run(at, len);

		memcpy(out, at, run);
		out += run;
		at += run;
		len -= run;
		if (len > 0) {
			out = put(out, *at++);
			len--;
		}
	}
	*out++ = END;
	return (size_t)(out - start);
}

/* One unescaped byte: of the address, or of the data. */
static void take(struct slip_reader *reader, uint8_t byte, uint8_t *out, size_t *n)
{
	if (reader->n_address < 2) {
		reader->address = (uint16_t)(reader->address << 8 | byte);
		reader->n_address++;
	} else {
		out[(*n)++] = byte;
	}
}

/* The frame is over; was there any? */
static bool end_frame(struct slip_reader *reader, struct slip_piece *piece)
{
	bool whole = reader->n_address == 2;

	piece->final = true;
	piece->broken = reader->skipping || reader->escaped;
	*reader = (struct slip_reader){ 0 };
	return whole;
}

/* A byte that is not plain, or that follows an ESC; false: it is none that may. */
static bool take_special(struct slip_reader *reader, uint8_t byte, uint8_t *out, size_t *n)
{
	if (!reader->escaped) {
		reader->escaped = byte == ESC;
		if (!reader->escaped)
			take(reader, byte, out, n);
		return true;
	}
	reader->escaped = false;
	if (byte != ESC_END && byte != ESC_ESC)
		return false;
	take(reader, byte == ESC_END ? END : ESC, out, n);
	return true;
}

bool slip_read(struct slip_reader *reader, const uint8_t **data, size_t *len, uint8_t *out,
	size_t size, struct slip_piece *piece)
{
	size_t n = 0;

	*piece = (struct slip_piece){ .data = out };
	while (*len > 0 && n < size) {
		bool at_start = reader->escaped || reader->n_address < 2 || reader->skipping;
		size_t run = at_start ? 0 : plain_run(*data, *len < size - n ? *len : size - n);
		uint8_t byte;

		if (run > 0) {
			memcpy(out + n, *data, run);
			n += run;
			*data += run;
			*len -= run;
			continue;
		}
		byte = *(*data)++;
		(*len)--;
		if (byte == END) {
			piece->address = reader->address;
			piece->len = n;
			if (end_frame(reader, piece))
				return true;
			*piece = (struct slip_piece){ .data = out };
		} else if (!reader->skipping && !take_special(reader, byte, out, &n)) {
			reader->skipping = true;
		}
	}
	piece->address = reader->address;
	piece->len = n;
	return n > 0;
}
