/*
 * kite_place: a stream as an end of a relay. The kite tells how much of what it was sent its server
 * has taken, and we tell the same of its visitor: so neither sends far ahead. One that does all the
 * same stops its whole connection, as TCP does.
 */
#include "dataplane/pagekite/kite_internal.h"

#include "lib/mem.h"

#include <netinet/in.h>

#define DATA_MAX     (16 * 1024)  /* bytes of one chunk */
#define AHEAD_KIB    512	  /* sent and not taken by the kite's server */
#define STUFFED	     (512 * 1024) /* bytes that wait for a visitor */
#define PROGRESS_KIB 16		  /* between what is told */

static struct kite_place *place_of(struct box_stream *base)
{
	return (struct kite_place *)base;
}

static bool may_send(const struct kite_place *place)
{
	return !box_stream_is_flushed(&place->base) &&
	       (!place->tells_progress || place->sent / 1024 < place->acked_kib + AHEAD_KIB);
}

static bool has_more(const struct box_stream *base)
{
	const struct kite_place *place = (const struct kite_place *)base;

	return place->progress_due || may_send(place) || box_stream_last_is_due(base);
}

static void wake_link(struct box_stream *base)
{
	stream_wake(place_of(base)->link->stream);
}

static void set_stuffed(struct kite_place *place, bool stuffed)
{
	struct kite_link *link = place->link;

	if (place->stuffed == stuffed)
		return;
	place->stuffed = stuffed;
	link->n_stuffed += stuffed ? 1 : -1u;
	if (!link->closed)
		stream_hold(link->stream, link->n_stuffed > 0);
}

static void leave(struct box_stream *base)
{
	struct kite_place *place = place_of(base);

	set_stuffed(place, false);
	HASH_DELETE(hh, place->link->places, place);
	boxes_left(&place->box->box);
}

static void note_taken(struct box_stream *base)
{
	struct kite_place *place = place_of(base);

	place->taken += place->waiting;
	place->waiting = 0;
	set_stuffed(place, false);
	if (place->taken / 1024 >= place->told_kib + PROGRESS_KIB)
		place->progress_due = true;
	box_stream_wake(base);
}

/* ---- what the kite says ---- */

static void take_data(struct kite_place *place, const struct chunk *chunk)
{
	place->waiting += chunk->len;
	box_stream_received(&place->base, chunk->data, chunk->len);
	if (!place->base.held)
		note_taken(&place->base);
	else if (place->waiting > STUFFED)
		set_stuffed(place, true);
}

void kite_place_take(struct kite_place *place, const struct chunk *chunk)
{
	if (chunk->has_progress) {
		place->tells_progress = true;
		if (chunk->progress_kib > place->acked_kib)
			place->acked_kib = chunk->progress_kib;
		box_stream_wake(&place->base);
	} else if (chunk->eof && chunk->nobody) {
		box_stream_gone(&place->base);
	} else if (chunk->eof && !place->base.relay.end.closed_by_peer) {
		box_stream_ended(&place->base);
	} else if (!chunk->eof && !place->base.relay.end.closed_by_peer && chunk->len > 0) {
		take_data(place, chunk);
	}
}

/* ---- what it is told ---- */

static bool write_head(struct kite_place *place, char *head, size_t len)
{
	return stream_write(place->link->stream, &(struct iovec){ head, len }, 1);
}

static size_t data_head(const struct kite_place *place, char head[CHUNK_HEAD_MAX], size_t len)
{
	bool tls = place->kind == MUX_TLS;
	const struct chunk_visitor visitor = { tls ? "https" : "http", place->box->box.name,
		place->base.relay.end.address, tls ? 443 : 80, place->visitor_port };

	return chunk_data(head, place->stream, place->opened ? NULL : &visitor, len);
}

static bool write_data(struct kite_place *place)
{
	char head[CHUNK_HEAD_MAX];
	struct iovec parts[2] = { { .iov_base = head } };
	struct pipe_piece piece;
	size_t len;

	if (!pipe_peek(&place->base.relay.end.out, &piece))
		return true;
	len = piece.len < DATA_MAX ? piece.len : DATA_MAX;
	parts[0].iov_len = data_head(place, head, len);
	parts[1] = (struct iovec){ (void *)(uintptr_t)piece.data, len };
	if (!stream_write(place->link->stream, parts, 2))
		return false;
	place->opened = true;
	place->sent += len;
	box_stream_sent(&place->base, len);
	return true;
}

static bool write_progress(struct kite_place *place)
{
	char head[CHUNK_HEAD_MAX];
	uint64_t kib = place->taken / 1024;

	if (!write_head(place, head, chunk_progress(head, place->stream, kib)))
		return false;
	place->told_kib = kib;
	place->progress_due = false;
	return true;
}

/* Of a stream that was never opened the kite need not hear. */
static bool write_last(struct kite_place *place)
{
	struct box_stream *base = &place->base;
	char head[CHUNK_HEAD_MAX];

	if (place->opened &&
		!write_head(place, head, chunk_end(head, place->stream, base->reset_due)))
		return false;
	base->reset_sent = base->reset_due || !place->opened;
	base->end_sent = true;
	base->reset_due = base->end_due = false;
	return true;
}

/* One chunk of data. */
static bool write_next(struct box_stream *base)
{
	struct kite_place *place = place_of(base);

	if (base->reset_due)
		return write_last(place);
	if (place->progress_due && !write_progress(place))
		return false;
	if (may_send(place) && !write_data(place))
		return false;
	return !box_stream_last_is_due(base) || write_last(place);
}

/* ---- life ---- */

static const struct box_stream_kind kind = {
	.transport = BOX_STREAM_TRANSPORT("pagekite"),
	.has_more = has_more,
	.write = write_next,
	.wake = wake_link,
	.released = note_taken,
	.leave = leave,
};

static unsigned port_of(const struct sockaddr_storage *address)
{
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)address;
	const struct sockaddr_in *four = (const struct sockaddr_in *)address;

	if (address->ss_family == AF_INET6)
		return ntohs(six->sin6_port);
	return address->ss_family == AF_INET ? ntohs(four->sin_port) : 0;
}

struct relay_end *kite_place_create(struct kite_box *box, const struct box_visitor *visitor)
{
	struct kite_link *link = box->link;
	struct kite_place *place = xcalloc(1, sizeof(*place));

	place->link = link;
	place->box = box;
	place->kind = visitor->kind;
	place->visitor_port = port_of(&visitor->ends.client);
	place->stream = ++link->last_stream;
	box_stream_init(&place->base, &kind, &link->turns, visitor->address);
	HASH_ADD(hh, link->places, stream, sizeof(place->stream), place);
	/* A kite that does not fly this protocol would send the visitor to another server. */
	if (visitor->kind == MUX_TLS ? !box->https : !box->http)
		box_stream_reset(&place->base);
	return &place->base.relay;
}

struct kite_place *kite_place_find(struct kite_link *link, uint32_t stream)
{
	struct kite_place *place;

	HASH_FIND(hh, link->places, &stream, sizeof(stream), place);
	return place;
}
