/*
 * end_channel: an end that is a WebSocket connection. Each piece is a frame, so messages keep their
 * borders and may have any length.
 */
#include "dataplane/net/channel.h"
#include "dataplane/relay/end.h"

static void wake(struct end *end)
{
	channel_wake(end->connection);
}

static void hold(struct end *end, bool held)
{
	channel_hold(end->connection, held);
}

static void set_timer(struct end *end, unsigned ms)
{
	channel_set_timer(end->connection, ms);
}

static void close_now(struct end *end, enum ws_status code, const char *reason)
{
	channel_close(end->connection, code, reason);
}

static void finish(struct end *end, enum ws_status code, const char *reason)
{
	channel_hold(end->connection, false); /* its answer to our close must be read */
	channel_finish(end->connection, code, reason);
}

static void ping(struct end *end)
{
	channel_ping(end->connection);
}

static uint64_t silence_ms(const struct end *end)
{
	return channel_silence_ms(end->connection);
}

static const struct end_transport transport = {
	.name = "WebSocket",
	.wake = wake,
	.hold = hold,
	.set_timer = set_timer,
	.close = close_now,
	.finish = finish,
	.ping = ping,
	.silence_ms = silence_ms,
};

static void on_received(struct channel *channel, const struct channel_piece *piece)
{
	end_received(channel->owner, &(struct pipe_piece){
					     .data = piece->data,
					     .len = piece->len,
					     .text = piece->text,
					     .first = piece->first,
					     .final = piece->final,
				     });
}

static enum ws_opcode opcode_of(const struct pipe_piece *piece)
{
	if (!piece->first)
		return WS_CONTINUATION;
	return piece->text ? WS_TEXT : WS_BINARY;
}

static void on_fill(struct channel *channel)
{
	struct end *end = channel->owner;
	struct pipe_piece piece;

	while (pipe_peek(&end->out, &piece)) {
		struct iovec part = { (void *)(uintptr_t)piece.data, piece.len };

		if (!channel_write(channel, opcode_of(&piece), piece.final, &part, 1))
			break;
		end->tx_bytes += piece.len;
		pipe_take(&end->out, piece.len);
	}
	channel_flush(channel);
	end_filled(end);
}

static void on_timer(struct channel *channel)
{
	struct end *end = channel->owner;

	if (end->face->timer)
		end->face->timer(end);
}

static void on_closed(struct channel *channel)
{
	struct end *end = channel->owner;

	end->closed_by_peer = channel->left;
	end->state = END_CLOSED;
	end->face->closed(end);
}

static const struct channel_face face = {
	.received = on_received,
	.fill = on_fill,
	.timer = on_timer,
	.closed = on_closed,
};

void end_of_channel(struct end *end, struct channel *channel)
{
	end_init(end, &transport, channel, channel->address);
	channel->face = &face;
	channel->owner = end;
}
