/*
 * end: the queue, and what all transports have in common.
 */
#include "dataplane/relay/end.h"

#include "lib/clock.h"
#include "lib/mem.h"

#include <stdio.h>
#include <string.h>

#define TEXT_STEP 4096 /* bytes that become one text message */

void end_init(struct end *end, const struct end_transport *transport, void *connection,
	const char *address)
{
	end->transport = transport;
	end->connection = connection;
	end->opened_s = clock_unix_ms() / 1000;
	uuid_new(end->id);
	snprintf(end->address, sizeof(end->address), "%s", address);
}

void end_finish_queue(struct end *end)
{
	pipe_finish(&end->out);
}

/* Bytes for an end that takes text only. */
static void push_as_text(struct end *end, const struct pipe_piece *piece)
{
	uint8_t text[CARRY_OUT_MAX(TEXT_STEP)];

	for (size_t at = 0; at < piece->len; at += TEXT_STEP) {
		size_t len = piece->len - at < TEXT_STEP ? piece->len - at : TEXT_STEP;
		struct pipe_piece message = {
			.data = text, .text = true, .first = true, .final = true
		};

		message.len = carry_next(&end->carry, piece->data + at, len, text);
		if (message.len > 0)
			pipe_push(&end->out, &message);
	}
}

void end_push(struct end *end, const struct pipe_piece *piece)
{
	if (end->state != END_OPEN)
		return;
	if (end->text_only && !piece->text)
		push_as_text(end, piece);
	else
		pipe_push(&end->out, piece);
	end->is_full = end->is_full || end->out.bytes >= PIPE_FULL;
	end->transport->wake(end);
}

void end_say(struct end *end, const char *text)
{
	end_push(end, &(struct pipe_piece){ .data = (const uint8_t *)text,
			      .len = strlen(text),
			      .text = true,
			      .first = true,
			      .final = true });
}

bool end_is_full(const struct end *end)
{
	return end->is_full;
}

void end_hold(struct end *end, bool held)
{
	if (end->state != END_CLOSED)
		end->transport->hold(end, held);
}

void end_set_timer(struct end *end, unsigned ms)
{
	end->transport->set_timer(end, ms);
}

void end_close(struct end *end, enum ws_status code, const char *reason)
{
	if (end->state == END_CLOSED)
		return;
	end->state = END_CLOSED;
	end->transport->close(end, code, reason);
}

void end_reset(struct end *end)
{
	if (end->state != END_CLOSED && end->transport->reset)
		end->transport->reset(end);
	end_close(end, WS_STATUS_NORMAL, "");
}

void end_finish(struct end *end, enum ws_status code, const char *reason)
{
	if (end->state == END_FINISHING || end->state == END_CLOSED)
		return;
	if (end->state == END_OPEN && end->carry.n > 0) {
		uint8_t rest[CARRY_OUT_MAX(0)];

		pipe_push(&end->out, &(struct pipe_piece){ .data = rest,
					     .len = carry_end(&end->carry, rest),
					     .text = true,
					     .first = true,
					     .final = true });
	}
	end->state = END_FINISHING;
	end->transport->finish(end, code, reason);
}

void end_shut(struct end *end, enum ws_status code, const char *reason)
{
	if (!end->transport->shut) {
		end_finish(end, code, reason);
	} else if (end->state == END_OPEN) {
		end->state = END_SHUT;
		end->transport->shut(end);
	}
}

/* ---- for transports ---- */

void end_received(struct end *end, const struct pipe_piece *piece)
{
	end->rx_bytes += piece->len;
	if (end->state == END_OPEN || end->state == END_SHUT)
		end->face->received(end, piece);
}

void end_ended(struct end *end)
{
	end->closed_by_peer = true;
	if (end->face->ended && end->state == END_OPEN)
		end->face->ended(end);
	else
		end_finish(end, WS_STATUS_NORMAL, "");
}

void end_filled(struct end *end)
{
	pipe_release(&end->out);
	if (!end->is_full || end->out.bytes > PIPE_DRAIN)
		return;
	end->is_full = false;
	if (end->face->drained)
		end->face->drained(end);
}
