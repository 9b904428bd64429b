/*
 * mux: see mux.h.
 */
#include "lib/mux.h"

#include "lib/bytes.h"

#include <string.h>

#define OPEN_MIN   (MUX_HEADER_LEN + 1)
#define CREDIT_LEN (MUX_HEADER_LEN + 4)

/* The text of an address as it goes into logs and headers. */
static bool read_address(struct mux_frame *frame, const uint8_t *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] <= ' ' || text[i] > '~')
			return false;
		frame->address[i] = (char)text[i];
	}
	frame->address[len] = '\0';
	return true;
}

/* A whole frame that is no DATA. */
static bool read_control(struct mux_frame *frame, const uint8_t *head, size_t len)
{
	switch (frame->type) {
	case MUX_OPEN:
		if (len < OPEN_MIN ||
			(head[MUX_HEADER_LEN] != MUX_TLS && head[MUX_HEADER_LEN] != MUX_HTTP))
			return false;
		frame->kind = head[MUX_HEADER_LEN];
		return read_address(frame, head + OPEN_MIN, len - OPEN_MIN);
	case MUX_END:
	case MUX_RESET:
		return len == MUX_HEADER_LEN;
	case MUX_CREDIT:
		if (len != CREDIT_LEN)
			return false;
		frame->credit = bytes_be32(head + MUX_HEADER_LEN);
		return frame->credit > 0 && frame->credit <= MUX_WINDOW_MAX;
	default:
		return false;
	}
}

static bool is_data(const struct mux_reader *reader)
{
	return reader->len >= MUX_HEADER_LEN && reader->head[0] == MUX_DATA;
}

/* Fills the head, of a message that may be DATA no further than its header. */
static size_t fill_head(struct mux_reader *reader, const uint8_t *data, size_t len)
{
	size_t taken = 0;

	while (taken < len && reader->len < sizeof(reader->head) && !is_data(reader))
		reader->head[reader->len++] = data[taken++];
	return taken;
}

enum mux_result mux_reader_take(struct mux_reader *reader, const uint8_t *data, size_t len,
	bool final, struct mux_frame *frame)
{
	size_t taken = fill_head(reader, data, len);
	size_t head_len = reader->len;

	*frame = (struct mux_frame){ .data = data + taken, .len = len - taken };
	if (head_len >= MUX_HEADER_LEN) {
		frame->type = reader->head[0];
		frame->stream = bytes_be32(reader->head + 1);
	}
	if (final)
		reader->len = 0;
	if (head_len >= MUX_HEADER_LEN && frame->type == MUX_DATA)
		return frame->len > 0 ? MUX_FRAME : MUX_MORE;
	if (frame->len > 0 || (final && head_len < MUX_HEADER_LEN))
		return MUX_BROKEN;
	if (!final)
		return MUX_MORE;
	return read_control(frame, reader->head, head_len) ? MUX_FRAME : MUX_BROKEN;
}

/* ---- writing ---- */

size_t mux_header(uint8_t *out, enum mux_type type, uint32_t stream)
{
	out[0] = (uint8_t)type;
	bytes_put_be32(out + 1, stream);
	return MUX_HEADER_LEN;
}

size_t mux_open(uint8_t *out, uint32_t stream, enum mux_kind kind, const char *address)
{
	size_t len = strnlen(address, MUX_ADDRESS_MAX);

	mux_header(out, MUX_OPEN, stream);
	out[MUX_HEADER_LEN] = (uint8_t)kind;
	memcpy(out + OPEN_MIN, address, len);
	return OPEN_MIN + len;
}

size_t mux_credit(uint8_t *out, uint32_t stream, uint32_t credit)
{
	mux_header(out, MUX_CREDIT, stream);
	bytes_put_be32(out + MUX_HEADER_LEN, credit);
	return CREDIT_LEN;
}

/* ---- credit ---- */

void mux_grant_init(struct mux_grant *grant)
{
	*grant = (struct mux_grant){ .window = MUX_WINDOW, .left = MUX_WINDOW };
}

bool mux_grant_take(struct mux_grant *grant, size_t len)
{
	if (len > grant->left)
		return false;
	grant->left -= (uint32_t)len;
	return true;
}

uint32_t mux_grant_return(struct mux_grant *grant, size_t len, uint32_t *budget)
{
	uint32_t credit, more = grant->window;

	grant->owed += (uint32_t)len;
	if (grant->owed < grant->window / 2)
		return 0;
	if (grant->window + more <= MUX_WINDOW_MAX && more <= *budget) {
		*budget -= more;
		grant->window += more;
		grant->owed += more;
	}
	credit = grant->owed;
	grant->owed = 0;
	grant->left += credit;
	return credit;
}

void mux_grant_finish(struct mux_grant *grant, uint32_t *budget)
{
	*budget += grant->window - MUX_WINDOW;
	mux_grant_init(grant);
}
