/*
 * kite_link: see kite_link.h. Nothing of a stream waits here: each place keeps what it has to say,
 * and they write in turn, one chunk each.
 */
#include "dataplane/pagekite/kite_internal.h"

#include "lib/mem.h"

#include <stdio.h>
#include <string.h>

#define TICK_MS	       5000
#define ANNOUNCE_TICKS 6 /* 30 s */
#define PING_TICKS     6
#define SILENT_MS      90000

/* Its visitors go first. */
static void end_link(struct kite_link *link)
{
	struct kite_place *place, *next;

	if (link->closed)
		return;
	link->closed = true;
	HASH_ITER(hh, link->places, place, next)
	box_stream_drop(&place->base);
	for (size_t i = 0; i < link->n_boxes; i++)
		boxes_remove(&link->boxes[i].box);
	stream_close(link->stream);
}

/* ---- as boxes ---- */

static struct kite_box *kite_of(struct box *box)
{
	return (struct kite_box *)box;
}

static struct relay_end *on_enter(struct box *box, const struct box_visitor *visitor)
{
	return kite_place_create(kite_of(box), visitor);
}

/* One name of several may end; the kite hears of it when it asks for all of them again. */
static void on_close(struct box *box, const char *reason)
{
	(void)reason;
	end_link(kite_of(box)->link);
}

static const struct box_kind kind = {
	.enter = on_enter,
	.close = on_close,
};

/* ---- chunks ---- */

static void take_chunk(struct kite_link *link, const struct chunk *chunk)
{
	struct kite_place *place = chunk->has_stream ? kite_place_find(link, chunk->stream) : NULL;

	if (*chunk->ping != '\0') {
		snprintf(link->pong, sizeof(link->pong), "%s", chunk->ping);
		stream_wake(link->stream);
	}
	/* What is said about a stream that is over was on its way when it ended. */
	if (place)
		kite_place_take(place, chunk);
}

static size_t on_received(struct stream *stream, const struct stream_bytes *bytes)
{
	struct kite_link *link = stream_owner(stream);
	size_t at = 0, taken;
	struct chunk chunk;

	link->heard_ms = stream_now_ms(stream);
	while (!link->closed && link->n_stuffed == 0 && at < bytes->len) {
		switch (chunk_read(&chunk, bytes->data + at, bytes->len - at, &taken)) {
		case CHUNK_MORE:
			return at;
		case CHUNK_WHOLE:
			take_chunk(link, &chunk);
			at += taken;
			break;
		case CHUNK_WRONG:
			end_link(link);
			return at;
		}
	}
	return at;
}

/* ---- writing ---- */

static bool say(struct kite_link *link, char *text, size_t len)
{
	return stream_write(link->stream, &(struct iovec){ text, len }, 1);
}

static bool write_own(struct kite_link *link)
{
	char head[CHUNK_HEAD_MAX];

	if (link->greeting) {
		if (!say(link, link->greeting, strlen(link->greeting)))
			return false;
		stream_flush(link->stream);
		free(link->greeting);
		link->greeting = NULL;
	}
	if (*link->pong != '\0' && !say(link, head, chunk_pong(head, link->pong)))
		return false;
	*link->pong = '\0';
	if (link->ping_due && !say(link, head, chunk_ping(head)))
		return false;
	link->ping_due = false;
	return true;
}

static void on_fill(struct stream *stream)
{
	struct kite_link *link = stream_owner(stream);

	if (link->closed || !write_own(link))
		return;
	box_turns_write(&link->turns);
	stream_flush(stream); /* which needs the bytes of the places */
	box_turns_filled(&link->turns);
}

/* ---- time and end ---- */

static void on_timer(struct stream *stream)
{
	struct kite_link *link = stream_owner(stream);
	uint64_t now_ms = stream_now_ms(stream);
	struct kite_place *place, *next;

	if (now_ms - link->heard_ms >= SILENT_MS) {
		end_link(link);
		return;
	}
	stream_set_timer(stream, TICK_MS);
	HASH_ITER(hh, link->places, place, next)
	box_stream_tick(&place->base, (int64_t)now_ms);
	link->n_ticks++;
	if (link->n_ticks % PING_TICKS == 0) {
		link->ping_due = true;
		stream_wake(stream);
	}
	for (size_t i = 0; i < link->n_boxes && link->n_ticks % ANNOUNCE_TICKS == 0; i++)
		boxes_announce(&link->boxes[i].box);
}

static void on_closed(struct stream *stream)
{
	struct kite_link *link = stream_owner(stream);

	end_link(link);
	free(link->greeting);
	free(link);
}

static const struct stream_face face = {
	.received = on_received,
	.fill = on_fill,
	.timer = on_timer,
	.closed = on_closed,
};

void kite_link_create(struct boxes *boxes, struct stream *stream, char *greeting,
	const struct kite_flight flights[], size_t n)
{
	struct kite_link *link = xcalloc(1, sizeof(*link));

	link->stream = stream;
	link->greeting = greeting;
	link->heard_ms = stream_now_ms(stream);
	stream_set_face(stream, &face, link);
	stream_set_timer(stream, TICK_MS);
	stream_wake(stream);
	for (size_t i = 0; i < n && !link->closed; i++) {
		struct kite_box *box = &link->boxes[link->n_boxes++];

		box->box = flights[i].opened;
		box->box.kind = &kind;
		box->link = link;
		box->http = flights[i].http;
		box->https = flights[i].https;
		uuid_new(box->box.id);
		boxes_add(boxes, &box->box);
	}
}
