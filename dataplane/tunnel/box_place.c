/*
 * box_place: a stream as an end of a relay. What a visitor sends waits in the end's queue until the
 * device has given credit for it; what the device sends goes to the visitor at once, and while that
 * one is full no more credit is given.
 */
#include "dataplane/tunnel/box_internal.h"

#include "lib/mem.h"

static struct place *place_of(struct box_stream *base)
{
	return (struct place *)base;
}

static bool has_more(const struct box_stream *base)
{
	const struct place *place = (const struct place *)base;

	return place->open_due || place->credit_due > 0 ||
	       (!box_stream_is_flushed(base) && place->credit > 0) || box_stream_last_is_due(base);
}

static void wake_link(struct box_stream *base)
{
	channel_wake(place_of(base)->link->channel);
}

static void leave(struct box_stream *base)
{
	struct place *place = place_of(base);

	HASH_DELETE(hh, place->link->places, place);
	mux_grant_finish(&place->grant, &place->link->budget);
	boxes_left(&place->link->box);
}

static void return_credit(struct box_stream *base)
{
	struct place *place = place_of(base);

	place->credit_due += mux_grant_return(&place->grant, place->waiting, &place->link->budget);
	place->waiting = 0;
	box_stream_wake(base);
}

static void on_released(struct box_stream *base)
{
	if (place_of(base)->waiting > 0)
		return_credit(base);
}

/* ---- what the device says ---- */

static bool take_data(struct place *place, const struct mux_frame *frame)
{
	if (place->base.relay.end.closed_by_peer || !mux_grant_take(&place->grant, frame->len))
		return false;
	place->waiting += frame->len;
	box_stream_received(&place->base, frame->data, frame->len);
	if (!place->base.held)
		return_credit(&place->base);
	return true;
}

static bool take_credit(struct place *place, uint32_t credit)
{
	if (credit > MUX_WINDOW_MAX - place->credit)
		return false;
	place->credit += credit;
	box_stream_wake(&place->base);
	return true;
}

static bool take_end(struct place *place)
{
	if (place->base.relay.end.closed_by_peer)
		return false;
	box_stream_ended(&place->base);
	return true;
}

bool place_take(struct place *place, const struct mux_frame *frame)
{
	switch (frame->type) {
	case MUX_DATA:
		return take_data(place, frame);
	case MUX_CREDIT:
		return take_credit(place, frame->credit);
	case MUX_END:
		return take_end(place);
	case MUX_RESET:
		box_stream_gone(&place->base);
		return true;
	default: /* only nodes open streams */
		return false;
	}
}

/* ---- what it is told ---- */

static bool write_frame(struct place *place, const struct iovec *parts, size_t n)
{
	return channel_write(place->link->channel, WS_BINARY, true, parts, n);
}

static bool write_head(struct place *place, uint8_t *head, size_t len)
{
	return write_frame(place, &(struct iovec){ head, len }, 1);
}

static bool write_data(struct place *place)
{
	uint8_t head[MUX_HEADER_LEN];
	struct iovec parts[2] = { { head, mux_header(head, MUX_DATA, place->stream) } };
	struct pipe_piece piece;
	size_t len;

	if (!pipe_peek(&place->base.relay.end.out, &piece))
		return true;
	len = piece.len < MUX_DATA_MAX ? piece.len : MUX_DATA_MAX;
	len = len < place->credit ? len : place->credit;
	parts[1] = (struct iovec){ (void *)(uintptr_t)piece.data, len };
	if (len > 0 && !write_frame(place, parts, 2))
		return false;
	place->credit -= (uint32_t)len;
	box_stream_sent(&place->base, len);
	return true;
}

static bool write_open(struct place *place)
{
	uint8_t head[MUX_CONTROL_MAX];

	if (!write_head(place, head,
		    mux_open(head, place->stream, place->kind, place->base.relay.end.address)))
		return false;
	place->open_due = false;
	return true;
}

static bool write_credit(struct place *place)
{
	uint8_t head[MUX_CONTROL_MAX];
	uint32_t credit = place->credit_due < MUX_WINDOW_MAX ? place->credit_due : MUX_WINDOW_MAX;

	if (!write_head(place, head, mux_credit(head, place->stream, credit)))
		return false;
	place->credit_due -= credit;
	return true;
}

static bool write_last(struct place *place)
{
	uint8_t head[MUX_HEADER_LEN];
	struct box_stream *base = &place->base;
	enum mux_type type = base->reset_due ? MUX_RESET : MUX_END;

	if (!write_head(place, head, mux_header(head, type, place->stream)))
		return false;
	base->reset_sent = base->reset_due;
	base->end_sent = base->end_sent || !base->reset_due;
	base->reset_due = base->end_due = false;
	return true;
}

/* Of DATA one frame. */
static bool write_next(struct box_stream *base)
{
	struct place *place = place_of(base);

	if (place->open_due && !write_open(place))
		return false;
	if (base->reset_due)
		return write_last(place);
	if (place->credit_due > 0 && !write_credit(place))
		return false;
	if (!box_stream_is_flushed(base) && place->credit > 0 && !write_data(place))
		return false;
	return !box_stream_last_is_due(base) || write_last(place);
}

/* ---- life ---- */

static const struct box_stream_kind kind = {
	.transport = BOX_STREAM_TRANSPORT("tunnel"),
	.has_more = has_more,
	.write = write_next,
	.wake = wake_link,
	.released = on_released,
	.leave = leave,
};

static void push_header(struct place *place, const struct proxy_ends *ends)
{
	uint8_t header[PROXY_WRITE_MAX];

	end_push(&place->base.relay.end, &(struct pipe_piece){
						 .data = header,
						 .len = proxy_write(ends, header),
						 .first = true,
						 .final = true,
					 });
}

struct relay_end *place_create(struct box_link *link, const struct box_visitor *visitor)
{
	struct place *place = xcalloc(1, sizeof(*place));

	place->link = link;
	place->kind = visitor->kind;
	place->credit = MUX_WINDOW;
	place->open_due = true;
	place->stream = ++link->last_stream;
	mux_grant_init(&place->grant);
	box_stream_init(&place->base, &kind, &link->turns, visitor->address);
	HASH_ADD(hh, link->places, stream, sizeof(place->stream), place);
	if (link->proxy_protocol)
		push_header(place, &visitor->ends);
	box_stream_wake(&place->base);
	return &place->base.relay;
}

struct place *place_find(struct box_link *link, uint32_t stream)
{
	struct place *place;

	HASH_FIND(hh, link->places, &stream, sizeof(stream), place);
	return place;
}
