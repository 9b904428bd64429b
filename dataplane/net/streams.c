/*
 * streams: all streams of the loop, the memory that they share, and the end of each turn.
 */
#include "dataplane/net/stream_internal.h"

#include "lib/clock.h"
#include "lib/mem.h"

#include <string.h>

#define DRAIN_TICK_MS 20

void streams_add(struct streams *streams, struct stream *stream)
{
	stream->next = streams->all;
	stream->slot = &streams->all;
	if (stream->next)
		stream->next->slot = &stream->next;
	streams->all = stream;
}

void streams_remove(struct stream *stream)
{
	*stream->slot = stream->next;
	if (stream->next)
		stream->next->slot = stream->slot;
}

/* ---- memory ---- */

uint8_t *streams_space(struct streams *streams, const struct bytes *before, size_t *room)
{
	size_t waiting = before->len - before->at;
	struct block *block = streams->block;
	uint8_t *space;

	if (block->refs == 1)
		block->used = 0; /* nobody else looks at it */
	if (BLOCK_SIZE - block->used < waiting + STREAM_ROOM_MIN) {
		block_unref(block);
		block = streams->block = block_new();
	}
	space = block->data + block->used;
	if (waiting > 0)
		memcpy(space, before->data + before->at, waiting);
	*room = BLOCK_SIZE - block->used - waiting;
	return space;
}

/* ---- turns ---- */

void streams_awake(struct stream *stream)
{
	struct streams *streams = stream->streams;

	if (stream->awake || stream->n_handles == 0)
		return;
	stream->awake = true;
	stream->next_awake = NULL;
	*streams->awake_end = stream;
	streams->awake_end = &stream->next_awake;
}

static void on_again(uv_idle_t *idle)
{
	(void)idle;
}

/* Those that wake up meanwhile are served in the next turn, which then does not wait for events. */
static void end_turn(struct streams *streams)
{
	struct stream *stream = streams->awake, *next;

	streams->awake = NULL;
	streams->awake_end = &streams->awake;
	for (; stream; stream = next) {
		next = stream->next_awake;
		stream->awake = false;
		stream_serve(stream);
	}
	if (streams->awake)
		uv_idle_start(&streams->again, on_again);
	else
		uv_idle_stop(&streams->again);
}

static void on_before_poll(uv_prepare_t *prepare)
{
	end_turn(prepare->data);
}

static void on_after_poll(uv_check_t *check)
{
	end_turn(check->data);
}

/* ---- */

struct streams *streams_create(uv_loop_t *loop)
{
	struct streams *streams = xcalloc(1, sizeof(*streams));

	streams->loop = loop;
	streams->awake_end = &streams->awake;
	streams->block = block_new();
	streams->records = xmalloc(STREAM_RECORDS_LEN);
	streams->gather.copy = xmalloc(GATHER_COPY_LEN);
	uv_prepare_init(loop, &streams->before_poll);
	uv_check_init(loop, &streams->after_poll);
	uv_idle_init(loop, &streams->again);
	uv_timer_init(loop, &streams->drain);
	streams->n_handles = 4;
	streams->before_poll.data = streams->after_poll.data = streams;
	streams->again.data = streams->drain.data = streams;
	uv_prepare_start(&streams->before_poll, on_before_poll);
	uv_check_start(&streams->after_poll, on_after_poll);
	return streams;
}

void streams_set_congestion(struct streams *streams, struct congestion *congestion)
{
	streams->congestion = congestion;
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct streams *streams = handle->data;

	if (--streams->n_handles == 0)
		streams->ended(streams->ended_arg);
}

static void on_drain_tick(uv_timer_t *timer)
{
	struct streams *streams = timer->data;

	if (streams->all && clock_ms() >= streams->drain_until_ms)
		for (struct stream *stream = streams->all; stream; stream = stream->next)
			stream_close(stream);
	if (streams->all)
		return;
	uv_close((uv_handle_t *)&streams->before_poll, on_handle_closed);
	uv_close((uv_handle_t *)&streams->after_poll, on_handle_closed);
	uv_close((uv_handle_t *)&streams->again, on_handle_closed);
	uv_close((uv_handle_t *)&streams->drain, on_handle_closed);
}

void streams_close(struct streams *streams, unsigned ms, void (*ended)(void *arg), void *arg)
{
	streams->ended = ended;
	streams->ended_arg = arg;
	streams->drain_until_ms = clock_ms() + ms;
	for (struct stream *stream = streams->all; stream; stream = stream->next) {
		if (stream->closing)
			continue;
		if (stream->face->stopping)
			stream->face->stopping(stream);
		else
			stream_close(stream);
	}
	uv_timer_start(&streams->drain, on_drain_tick, 0, DRAIN_TICK_MS);
}

void streams_destroy(struct streams *streams)
{
	if (!streams)
		return;
	block_unref(streams->block);
	free(streams->records);
	free(streams->gather.copy);
	tls_wire_finish(&streams->wire);
	free(streams);
}
