/*
 * box_link: the connection. Nothing of a stream waits here: each place keeps what it has to say,
 * and they write in turn, one frame each.
 */
#include "dataplane/tunnel/box_link.h"

#include "dataplane/tunnel/box_internal.h"
#include "lib/clock.h"
#include "lib/mem.h"

#include <stdio.h>

#define TICK_MS	       5000
#define ANNOUNCE_TICKS 6 /* 30 s */
#define PING_MS	       15000
#define SILENT_MS      45000

static struct box_link *link_of(const struct channel *channel)
{
	return channel->owner;
}

/* Its visitors go first, so that nobody waits for the closing handshake. */
static void end_link(struct box_link *link, enum ws_status code, const char *reason)
{
	struct place *place, *next;

	if (link->closed)
		return;
	link->closed = true;
	HASH_ITER(hh, link->places, place, next)
	box_stream_drop(&place->base);
	boxes_remove(&link->box);
	channel_close(link->channel, code, reason);
}

static void on_close(struct box *box, const char *reason)
{
	end_link((struct box_link *)box, WS_STATUS_POLICY, reason);
}

static struct relay_end *on_enter(struct box *box, const struct box_visitor *visitor)
{
	return place_create((struct box_link *)box, visitor);
}

static void on_retire(struct box *box)
{
	struct box_link *link = (struct box_link *)box;

	link->retire_due = true;
	channel_wake(link->channel);
}

static const struct box_kind kind = {
	.enter = on_enter,
	.retire = on_retire,
	.close = on_close,
};

/* ---- frames ---- */

static void on_received(struct channel *channel, const struct channel_piece *piece)
{
	struct box_link *link = link_of(channel);
	struct mux_frame frame;
	struct place *place;

	if (link->closed)
		return;
	if (piece->text) {
		end_link(link, WS_STATUS_UNSUPPORTED, "a text message");
		return;
	}
	switch (mux_reader_take(&link->reader, piece->data, piece->len, piece->final, &frame)) {
	case MUX_MORE:
		return;
	case MUX_FRAME:
		place = place_find(link, frame.stream);
		/* What is said about a stream that is over was on its way when it ended. */
		if (!place || place_take(place, &frame))
			return;
		break;
	default:
		break;
	}
	end_link(link, WS_STATUS_PROTOCOL_ERROR, "a frame that is out of place");
}

static void tell_retire(struct box_link *link)
{
	uint8_t head[MUX_HEADER_LEN];
	struct iovec part = { head, mux_header(head, MUX_END, MUX_LINK) };

	if (channel_write(link->channel, WS_BINARY, true, &part, 1))
		link->retire_due = false;
}

static void on_fill(struct channel *channel)
{
	struct box_link *link = link_of(channel);

	if (link->retire_due)
		tell_retire(link);
	box_turns_write(&link->turns);
	channel_flush(channel); /* which needs the bytes of the places */
	box_turns_filled(&link->turns);
}

/* ---- time ---- */

static void on_timer(struct channel *channel)
{
	struct box_link *link = link_of(channel);
	uint64_t silence_ms = channel_silence_ms(channel);
	struct place *place, *next;

	channel_set_timer(channel, TICK_MS);
	if (silence_ms >= SILENT_MS) {
		end_link(link, WS_STATUS_POLICY, "nothing was heard for 45 s");
		return;
	}
	if (silence_ms >= PING_MS)
		channel_ping(channel);
	HASH_ITER(hh, link->places, place, next)
	box_stream_tick(&place->base, clock_ms());
	if (++link->n_ticks % ANNOUNCE_TICKS == 0)
		boxes_announce(&link->box);
}

static void on_closed(struct channel *channel)
{
	struct box_link *link = link_of(channel);

	end_link(link, WS_STATUS_NORMAL, "");
	free(link);
}

static const struct channel_face face = {
	.received = on_received,
	.fill = on_fill,
	.timer = on_timer,
	.closed = on_closed,
};

void box_link_create(
	struct boxes *boxes, struct channel *channel, const struct box *opened, bool proxy_protocol)
{
	struct box_link *link = xcalloc(1, sizeof(*link));

	link->box = *opened;
	link->box.kind = &kind;
	link->channel = channel;
	link->proxy_protocol = proxy_protocol;
	link->budget = MUX_BUDGET;
	snprintf(link->box.id, sizeof(link->box.id), "%s", channel->id);
	channel->face = &face;
	channel->owner = link;
	channel_set_timer(channel, TICK_MS);
	boxes_add(boxes, &link->box);
}
