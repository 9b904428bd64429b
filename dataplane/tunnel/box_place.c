/*
 * box_place: a stream as an end of a relay. What a visitor sends waits in the end's queue until the
 * device has given credit for it; what the device sends goes to the visitor at once, and while that
 * one is full no more credit is given.
 */
#include "dataplane/tunnel/box_internal.h"

#include "dataplane/counters.h"
#include "lib/clock.h"
#include "lib/mem.h"

static struct place *place_of(struct end *end)
{
	return end->connection;
}

static struct end *end_of(struct place *place)
{
	return &place->relay.end;
}

static bool is_flushed(const struct place *place)
{
	return pipe_is_empty(&place->relay.end.out);
}

bool place_has_more(const struct place *place)
{
	if (place->reset_due)
		return true;
	return place->open_due || place->credit_due > 0 ||
	       (!is_flushed(place) && place->credit > 0) || (place->end_due && is_flushed(place));
}

static void wake(struct place *place)
{
	if (place->ready || !place_has_more(place))
		return;
	place->ready = true;
	DL_APPEND(place->link->ready, place);
	channel_wake(place->link->channel);
}

/* Forgets the place: its visitor is told by the relay. */
static void gone(struct place *place)
{
	struct box_link *link = place->link;

	HASH_DELETE(hh, link->places, place);
	if (place->ready)
		DL_DELETE(link->ready, place);
	mux_grant_finish(&place->grant, &link->budget);
	boxes_left(&link->box);
	counter_add(COUNTER_TUNNEL_STREAMS, -1);
	place->relay.end.state = END_CLOSED;
	place->relay.end.face->closed(&place->relay.end);
}

/* ---- as an end ---- */

static void on_wake(struct end *end)
{
	wake(place_of(end));
}

static void return_credit(struct place *place)
{
	place->credit_due += mux_grant_return(&place->grant, place->waiting, &place->link->budget);
	place->waiting = 0;
	wake(place);
}

static void on_hold(struct end *end, bool held)
{
	struct place *place = place_of(end);

	place->held = held;
	if (!held && place->waiting > 0)
		return_credit(place);
}

static void on_set_timer(struct end *end, unsigned ms)
{
	struct place *place = place_of(end);

	place->due_ms = ms > 0 ? clock_ms() + ms : 0;
}

static void on_close(struct end *end, enum ws_status code, const char *reason)
{
	struct place *place = place_of(end);

	(void)code;
	(void)reason;
	place->reset_due = true;
	wake(place);
}

/* The device has ended too, or it has to be told that nobody listens any more. */
static void end_both(struct place *place)
{
	if (place->relay.end.closed_by_peer)
		place->end_due = !place->end_sent;
	else
		place->reset_due = true;
}

static void on_finish(struct end *end, enum ws_status code, const char *reason)
{
	struct place *place = place_of(end);

	(void)code;
	(void)reason;
	on_set_timer(end, END_LINGER_MS);
	if (is_flushed(place))
		end_both(place);
	wake(place);
}

static void on_shut(struct end *end)
{
	struct place *place = place_of(end);

	place->end_due = true;
	wake(place);
}

static const struct end_transport transport = {
	.name = "tunnel",
	.wake = on_wake,
	.hold = on_hold,
	.set_timer = on_set_timer,
	.close = on_close,
	.finish = on_finish,
	.shut = on_shut,
};

static void on_alone(struct relay_end *one, const struct pipe_piece *piece)
{
	(void)one;
	(void)piece; /* its visitor has gone, as the device is about to hear */
}

static void on_parted(struct relay_end *one)
{
	end_finish(&one->end, WS_STATUS_NORMAL, "");
}

static void on_gone(struct relay_end *one)
{
	free(one);
}

static const struct relay_hooks hooks = {
	.received = on_alone,
	.parted = on_parted,
	.closed = on_gone,
};

static void push_header(struct place *place, const struct proxy_ends *ends)
{
	uint8_t header[PROXY_WRITE_MAX];

	end_push(end_of(place), &(struct pipe_piece){
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
	end_init(&place->relay.end, &transport, place, visitor->address);
	relay_init(&place->relay, &hooks);
	HASH_ADD(hh, link->places, stream, sizeof(place->stream), place);
	counter_add(COUNTER_TUNNEL_STREAMS, 1);
	if (link->proxy_protocol)
		push_header(place, &visitor->ends);
	wake(place);
	return &place->relay;
}

struct place *place_find(struct box_link *link, uint32_t stream)
{
	struct place *place;

	HASH_FIND(hh, link->places, &stream, sizeof(stream), place);
	return place;
}

/* ---- what the device says ---- */

static bool is_over(const struct place *place)
{
	return place->reset_sent || (place->end_sent && place->relay.end.closed_by_peer);
}

static bool take_data(struct place *place, const struct mux_frame *frame)
{
	if (place->relay.end.closed_by_peer || !mux_grant_take(&place->grant, frame->len))
		return false;
	place->waiting += frame->len;
	end_received(end_of(place), &(struct pipe_piece){
					    .data = frame->data,
					    .len = frame->len,
					    .first = true,
					    .final = true,
				    });
	if (!place->held)
		return_credit(place);
	return true;
}

static bool take_credit(struct place *place, uint32_t credit)
{
	if (credit > MUX_WINDOW_MAX - place->credit)
		return false;
	place->credit += credit;
	wake(place);
	return true;
}

static bool take_end(struct place *place)
{
	if (place->relay.end.closed_by_peer)
		return false;
	end_ended(end_of(place));
	if (is_over(place))
		gone(place);
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
		gone(place);
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
	struct end *end = end_of(place);
	struct pipe_piece piece;
	size_t len;

	if (!pipe_peek(&end->out, &piece))
		return true;
	len = piece.len < MUX_DATA_MAX ? piece.len : MUX_DATA_MAX;
	len = len < place->credit ? len : place->credit;
	parts[1] = (struct iovec){ (void *)(uintptr_t)piece.data, len };
	if (len > 0 && !write_frame(place, parts, 2))
		return false;
	place->credit -= (uint32_t)len;
	end->tx_bytes += len;
	pipe_take(&end->out, len);
	if (end->state == END_FINISHING && is_flushed(place))
		end_both(place);
	return true;
}

static bool write_open(struct place *place)
{
	uint8_t head[MUX_CONTROL_MAX];

	if (!write_head(place, head,
		    mux_open(head, place->stream, place->kind, place->relay.end.address)))
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
	enum mux_type type = place->reset_due ? MUX_RESET : MUX_END;

	if (!write_head(place, head, mux_header(head, type, place->stream)))
		return false;
	place->reset_sent = place->reset_due;
	place->end_sent = place->end_sent || !place->reset_due;
	place->reset_due = place->end_due = false;
	return true;
}

bool place_write(struct place *place)
{
	if (place->open_due && !write_open(place))
		return false;
	if (place->reset_due)
		return write_last(place);
	if (place->credit_due > 0 && !write_credit(place))
		return false;
	if (!is_flushed(place) && place->credit > 0 && !write_data(place))
		return false;
	if ((place->end_due && is_flushed(place)) || place->reset_due)
		return write_last(place);
	return true;
}

void place_filled(struct place *place)
{
	end_filled(end_of(place));
	if (is_over(place))
		gone(place);
	else
		wake(place);
}

void place_tick(struct place *place, int64_t now_ms)
{
	struct end *end = end_of(place);

	if (place->due_ms == 0 || now_ms < place->due_ms)
		return;
	place->due_ms = 0;
	if (end->state == END_FINISHING) {
		place->reset_due = true;
		wake(place);
	} else {
		end->face->timer(end);
	}
}

void place_drop(struct place *place)
{
	if (place->relay.partner)
		end_reset(&place->relay.partner->end);
	gone(place);
}
