/*
 * end_stream: an end that is a plain or TLS connection: bytes, and it can be half-closed.
 */
#include "dataplane/relay/end.h"

static void wake(struct end *end)
{
	stream_wake(end->connection);
}

static void hold(struct end *end, bool held)
{
	stream_hold(end->connection, held);
}

static void set_timer(struct end *end, unsigned ms)
{
	stream_set_timer(end->connection, ms);
}

static void close_now(struct end *end, enum ws_status code, const char *reason)
{
	(void)code;
	(void)reason;
	stream_close(end->connection);
}

static void reset(struct end *end)
{
	stream_reset(end->connection);
}

/* The sending side ends when the queue is empty; see on_fill. */
static void shut(struct end *end)
{
	stream_wake(end->connection);
}

static void finish(struct end *end, enum ws_status code, const char *reason)
{
	(void)code;
	(void)reason;
	stream_hold(end->connection, false); /* its end must be seen */
	stream_set_timer(end->connection, END_LINGER_MS);
	stream_wake(end->connection);
}

static const struct end_transport transport = {
	.name = "TCP",
	.wake = wake,
	.hold = hold,
	.set_timer = set_timer,
	.close = close_now,
	.reset = reset,
	.finish = finish,
	.shut = shut,
};

static size_t on_received(struct stream *stream, const struct stream_bytes *bytes)
{
	end_received(stream_owner(stream), &(struct pipe_piece){
						   .data = bytes->data,
						   .len = bytes->len,
						   .first = true,
						   .final = true,
					   });
	return bytes->len;
}

static void on_ended(struct stream *stream)
{
	end_ended(stream_owner(stream));
}

static void on_fill(struct stream *stream)
{
	struct end *end = stream_owner(stream);
	struct pipe_piece piece;

	while (pipe_peek(&end->out, &piece)) {
		struct iovec part = { (void *)(uintptr_t)piece.data, piece.len };

		if (piece.len > 0 && !stream_write(stream, &part, 1))
			break;
		end->tx_bytes += piece.len;
		pipe_take(&end->out, piece.len);
	}
	stream_flush(stream);
	end_filled(end);
	if (!pipe_is_empty(&end->out) || end->state == END_OPEN || end->state == END_CLOSED)
		return;
	stream_finish(stream);
}

static void on_timer(struct stream *stream)
{
	struct end *end = stream_owner(stream);

	if (end->state == END_FINISHING)
		stream_close(stream);
	else if (end->face->timer)
		end->face->timer(end);
}

static void on_closed(struct stream *stream)
{
	struct end *end = stream_owner(stream);

	end->state = END_CLOSED;
	end->face->closed(end);
}

static void on_stopping(struct stream *stream)
{
	end_finish(stream_owner(stream), WS_STATUS_NORMAL, "");
}

static const struct stream_face face = {
	.received = on_received,
	.ended = on_ended,
	.fill = on_fill,
	.timer = on_timer,
	.stopping = on_stopping,
	.closed = on_closed,
};

void end_of_stream(struct end *end, struct stream *stream)
{
	end_init(end, &transport, stream, stream_address(stream));
	stream_set_face(stream, &face, end);
}
