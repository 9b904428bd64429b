/* box_stream: see box_stream.h. */
#include "dataplane/tunnel/box_stream.h"

#include "dataplane/counters.h"
#include "lib/clock.h"

#include <stdlib.h>
#include <utlist.h>

static struct box_stream *stream_of(struct end *end)
{
	return end->connection;
}

bool box_stream_is_flushed(const struct box_stream *stream)
{
	return pipe_is_empty(&stream->relay.end.out);
}

bool box_stream_last_is_due(const struct box_stream *stream)
{
	return stream->reset_due || (stream->end_due && box_stream_is_flushed(stream));
}

void box_stream_wake(struct box_stream *stream)
{
	if (stream->ready || !stream->kind->has_more(stream))
		return;
	stream->ready = true;
	DL_APPEND(stream->turns->ready, stream);
	stream->kind->wake(stream);
}

void box_stream_reset(struct box_stream *stream)
{
	stream->reset_due = true;
	box_stream_wake(stream);
}

/* The box has ended too, or it has to be told that nobody listens any more. */
static void end_both(struct box_stream *stream)
{
	if (stream->relay.end.closed_by_peer)
		stream->end_due = !stream->end_sent;
	else
		stream->reset_due = true;
}

void box_stream_gone(struct box_stream *stream)
{
	struct end *end = &stream->relay.end;

	if (stream->ready)
		DL_DELETE(stream->turns->ready, stream);
	stream->kind->leave(stream);
	counter_add(COUNTER_TUNNEL_STREAMS, -1);
	end->state = END_CLOSED;
	end->face->closed(end);
}

/* ---- as an end ---- */

void box_stream_on_wake(struct end *end)
{
	box_stream_wake(stream_of(end));
}

void box_stream_on_hold(struct end *end, bool held)
{
	struct box_stream *stream = stream_of(end);

	stream->held = held;
	if (!held)
		stream->kind->released(stream);
}

void box_stream_on_set_timer(struct end *end, unsigned ms)
{
	stream_of(end)->due_ms = ms > 0 ? clock_ms() + ms : 0;
}

void box_stream_on_close(struct end *end, enum ws_status code, const char *reason)
{
	(void)code;
	(void)reason;
	box_stream_reset(stream_of(end));
}

void box_stream_on_finish(struct end *end, enum ws_status code, const char *reason)
{
	struct box_stream *stream = stream_of(end);

	(void)code;
	(void)reason;
	box_stream_on_set_timer(end, END_LINGER_MS);
	if (box_stream_is_flushed(stream))
		end_both(stream);
	box_stream_wake(stream);
}

void box_stream_on_shut(struct end *end)
{
	stream_of(end)->end_due = true;
	box_stream_wake(stream_of(end));
}

static void on_alone(struct relay_end *one, const struct pipe_piece *piece)
{
	(void)one;
	(void)piece; /* its visitor has gone, as the box is about to hear */
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

void box_stream_init(struct box_stream *stream, const struct box_stream_kind *kind,
	struct box_turns *turns, const char *address)
{
	stream->kind = kind;
	stream->turns = turns;
	end_init(&stream->relay.end, &kind->transport, stream, address);
	relay_init(&stream->relay, &hooks);
	counter_add(COUNTER_TUNNEL_STREAMS, 1);
}

/* ---- what comes and goes ---- */

static bool is_over(const struct box_stream *stream)
{
	return stream->reset_sent || (stream->end_sent && stream->relay.end.closed_by_peer);
}

void box_stream_received(struct box_stream *stream, const uint8_t *data, size_t len)
{
	end_received(&stream->relay.end,
		&(struct pipe_piece){ .data = data, .len = len, .first = true, .final = true });
}

void box_stream_ended(struct box_stream *stream)
{
	end_ended(&stream->relay.end);
	if (is_over(stream))
		box_stream_gone(stream);
}

void box_stream_sent(struct box_stream *stream, size_t len)
{
	struct end *end = &stream->relay.end;

	end->tx_bytes += len;
	pipe_take(&end->out, len);
	if (end->state == END_FINISHING && box_stream_is_flushed(stream))
		end_both(stream);
}

void box_stream_tick(struct box_stream *stream, int64_t now_ms)
{
	struct end *end = &stream->relay.end;

	if (stream->due_ms == 0 || now_ms < stream->due_ms)
		return;
	stream->due_ms = 0;
	if (end->state == END_FINISHING)
		box_stream_reset(stream);
	else
		end->face->timer(end);
}

void box_stream_drop(struct box_stream *stream)
{
	if (stream->relay.partner)
		end_reset(&stream->relay.partner->end);
	box_stream_gone(stream);
}

/* ---- turns ---- */

void box_turns_write(struct box_turns *turns)
{
	bool room = true;

	while (room && turns->ready) {
		struct box_stream *stream = turns->ready;

		DL_DELETE(turns->ready, stream);
		room = stream->kind->write(stream);
		stream->ready = !room || stream->kind->has_more(stream);
		if (!room)
			DL_PREPEND(turns->ready, stream);
		else if (stream->ready)
			DL_APPEND(turns->ready, stream);
		if (!stream->wrote) {
			stream->wrote = true;
			stream->next_wrote = turns->wrote;
			turns->wrote = stream;
		}
	}
}

static void filled(struct box_stream *stream)
{
	end_filled(&stream->relay.end);
	if (is_over(stream))
		box_stream_gone(stream);
	else
		box_stream_wake(stream);
}

void box_turns_filled(struct box_turns *turns)
{
	struct box_stream *next;

	for (struct box_stream *stream = turns->wrote; stream; stream = next) {
		next = stream->next_wrote;
		stream->wrote = false;
		filled(stream);
	}
	turns->wrote = NULL;
}
