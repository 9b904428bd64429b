/*
 * kite_place: a stream as an end of a relay. The kite tells how much of what it was sent its server
 * has taken, and we tell the same of its visitor: so neither sends far ahead. One that does all the
 * same stops its whole connection, as TCP does.
 */
#include "dataplane/pagekite/kite_internal.h"

#include "dataplane/counters.h"
#include "lib/mem.h"

#include <netinet/in.h>

#define DATA_MAX     (16 * 1024)  /* bytes of one chunk */
#define AHEAD_KIB    512	  /* sent and not taken by the kite's server */
#define STUFFED	     (512 * 1024) /* bytes that wait for a visitor */
#define PROGRESS_KIB 16		  /* between what is told */

static struct kite_place *place_of(struct end *end)
{
	return end->connection;
}

static bool is_flushed(const struct kite_place *place)
{
	return pipe_is_empty(&place->relay.end.out);
}

static bool may_send(const struct kite_place *place)
{
	return !is_flushed(place) &&
	       (!place->tells_progress || place->sent / 1024 < place->acked_kib + AHEAD_KIB);
}

bool kite_place_has_more(const struct kite_place *place)
{
	return place->reset_due || place->progress_due || may_send(place) ||
	       (place->end_due && is_flushed(place));
}

static void wake(struct kite_place *place)
{
	if (place->ready || !kite_place_has_more(place))
		return;
	place->ready = true;
	DL_APPEND(place->link->ready, place);
	stream_wake(place->link->stream);
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

/* Forgets the place: its visitor is told by the relay. */
static void gone(struct kite_place *place)
{
	struct kite_link *link = place->link;

	set_stuffed(place, false);
	HASH_DELETE(hh, link->places, place);
	if (place->ready)
		DL_DELETE(link->ready, place);
	boxes_left(&place->box->box);
	counter_add(COUNTER_TUNNEL_STREAMS, -1);
	place->relay.end.state = END_CLOSED;
	place->relay.end.face->closed(&place->relay.end);
}

/* ---- as an end ---- */

static void on_wake(struct end *end)
{
	wake(place_of(end));
}

static void note_taken(struct kite_place *place)
{
	place->taken += place->waiting;
	place->waiting = 0;
	set_stuffed(place, false);
	if (place->taken / 1024 >= place->told_kib + PROGRESS_KIB)
		place->progress_due = true;
	wake(place);
}

static void on_hold(struct end *end, bool held)
{
	struct kite_place *place = place_of(end);

	place->held = held;
	if (!held)
		note_taken(place);
}

static void on_set_timer(struct end *end, unsigned ms)
{
	struct kite_place *place = place_of(end);

	place->due_ms = ms > 0 ? stream_now_ms(place->link->stream) + ms : 0;
}

static void on_close(struct end *end, enum ws_status code, const char *reason)
{
	struct kite_place *place = place_of(end);

	(void)code;
	(void)reason;
	place->reset_due = true;
	wake(place);
}

/* The kite has ended too, or it has to be told that nobody listens any more. */
static void end_both(struct kite_place *place)
{
	if (place->relay.end.closed_by_peer)
		place->end_due = !place->end_sent;
	else
		place->reset_due = true;
}

static void on_finish(struct end *end, enum ws_status code, const char *reason)
{
	struct kite_place *place = place_of(end);

	(void)code;
	(void)reason;
	on_set_timer(end, END_LINGER_MS);
	if (is_flushed(place))
		end_both(place);
	wake(place);
}

static void on_shut(struct end *end)
{
	struct kite_place *place = place_of(end);

	place->end_due = true;
	wake(place);
}

static const struct end_transport transport = {
	.name = "pagekite",
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
	(void)piece; /* its visitor has gone, as the kite is about to hear */
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
	end_init(&place->relay.end, &transport, place, visitor->address);
	relay_init(&place->relay, &hooks);
	HASH_ADD(hh, link->places, stream, sizeof(place->stream), place);
	counter_add(COUNTER_TUNNEL_STREAMS, 1);
	/* A kite that does not fly this protocol would send the visitor to another server. */
	if (visitor->kind == MUX_TLS ? !box->https : !box->http)
		on_close(&place->relay.end, WS_STATUS_NORMAL, "");
	return &place->relay;
}

struct kite_place *kite_place_find(struct kite_link *link, uint32_t stream)
{
	struct kite_place *place;

	HASH_FIND(hh, link->places, &stream, sizeof(stream), place);
	return place;
}

/* ---- what the kite says ---- */

static bool is_over(const struct kite_place *place)
{
	return place->reset_sent || (place->end_sent && place->relay.end.closed_by_peer);
}

static void take_data(struct kite_place *place, const struct chunk *chunk)
{
	place->waiting += chunk->len;
	end_received(&place->relay.end, &(struct pipe_piece){
						.data = chunk->data,
						.len = chunk->len,
						.first = true,
						.final = true,
					});
	if (!place->held)
		note_taken(place);
	else if (place->waiting > STUFFED)
		set_stuffed(place, true);
}

void kite_place_take(struct kite_place *place, const struct chunk *chunk)
{
	if (chunk->has_progress) {
		place->tells_progress = true;
		if (chunk->progress_kib > place->acked_kib)
			place->acked_kib = chunk->progress_kib;
		wake(place);
	} else if (chunk->eof && chunk->nobody) {
		gone(place);
	} else if (chunk->eof && !place->relay.end.closed_by_peer) {
		end_ended(&place->relay.end);
		if (is_over(place))
			gone(place);
	} else if (!chunk->eof && !place->relay.end.closed_by_peer && chunk->len > 0) {
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
		place->relay.end.address, tls ? 443 : 80, place->visitor_port };

	return chunk_data(head, place->stream, place->opened ? NULL : &visitor, len);
}

static bool write_data(struct kite_place *place)
{
	struct end *end = &place->relay.end;
	char head[CHUNK_HEAD_MAX];
	struct iovec parts[2] = { { .iov_base = head } };
	struct pipe_piece piece;
	size_t len;

	if (!pipe_peek(&end->out, &piece))
		return true;
	len = piece.len < DATA_MAX ? piece.len : DATA_MAX;
	parts[0].iov_len = data_head(place, head, len);
	parts[1] = (struct iovec){ (void *)(uintptr_t)piece.data, len };
	if (!stream_write(place->link->stream, parts, 2))
		return false;
	place->opened = true;
	place->sent += len;
	end->tx_bytes += len;
	pipe_take(&end->out, len);
	if (end->state == END_FINISHING && is_flushed(place))
		end_both(place);
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
	char head[CHUNK_HEAD_MAX];

	if (place->opened &&
		!write_head(place, head, chunk_end(head, place->stream, place->reset_due)))
		return false;
	place->reset_sent = place->reset_due || !place->opened;
	place->end_sent = true;
	place->reset_due = place->end_due = false;
	return true;
}

bool kite_place_write(struct kite_place *place)
{
	if (place->reset_due)
		return write_last(place);
	if (place->progress_due && !write_progress(place))
		return false;
	if (may_send(place) && !write_data(place))
		return false;
	if ((place->end_due && is_flushed(place)) || place->reset_due)
		return write_last(place);
	return true;
}

void kite_place_filled(struct kite_place *place)
{
	end_filled(&place->relay.end);
	if (is_over(place))
		gone(place);
	else
		wake(place);
}

void kite_place_tick(struct kite_place *place, uint64_t now_ms)
{
	struct end *end = &place->relay.end;

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

void kite_place_drop(struct kite_place *place)
{
	if (place->relay.partner)
		end_reset(&place->relay.partner->end);
	gone(place);
}
