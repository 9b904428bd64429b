/*
 * relay: the face of the ends that are, or will be, joined.
 */
#include "dataplane/relay/relay.h"

#include "dataplane/counters.h"

#include <stddef.h>

static struct relay_end *of(struct end *end)
{
	return end->owner;
}

bool relay_is_held(const struct relay_end *one)
{
	const struct relay_end *partner = one->partner;

	return partner && (partner->quiet || end_is_full(&partner->end));
}

/* Reads the one or not, by all that speaks against it. */
static void set_hold(struct relay_end *one)
{
	end_hold(&one->end, relay_is_held(one));
}

static void end_quiet(struct relay_end *one)
{
	one->quiet = false;
	if (one->partner)
		set_hold(one->partner);
}

static void on_received(struct end *end, const struct pipe_piece *piece)
{
	struct relay_end *one = of(end);

	if (!one->partner) {
		one->hooks->received(one, piece);
		return;
	}
	if (one->hooks->passes && !one->hooks->passes(one, piece))
		return;
	if (one->quiet) {
		end_set_timer(end, 0);
		end_quiet(one);
	}
	counter_add(COUNTER_RELAY_BYTES, (int64_t)piece->len);
	end_push(&one->partner->end, piece);
	if (end_is_full(&one->partner->end))
		set_hold(one);
}

static void on_drained(struct end *end)
{
	struct relay_end *one = of(end);

	if (one->partner)
		set_hold(one->partner);
	else if (one->hooks->drained)
		one->hooks->drained(one);
}

static void on_ended(struct end *end)
{
	struct relay_end *one = of(end);

	if (!one->partner) {
		end_finish(end, WS_STATUS_NORMAL, "");
		return;
	}
	one->tx_bytes = end->tx_bytes;
	end_set_timer(end, RELAY_HALF_MS);
	if (one->partner->end.transport->shut) {
		end_shut(&one->partner->end, WS_STATUS_NORMAL, "");
	} else {
		one->over = true;
		one->partner->hooks->parted(one->partner);
	}
}

/* The peer has ended; it may go on reading for as long as it does. */
static void look_at_half(struct relay_end *one)
{
	if (one->tx_bytes == one->end.tx_bytes) {
		end_close(&one->end, WS_STATUS_NORMAL, "");
		return;
	}
	one->tx_bytes = one->end.tx_bytes;
	end_set_timer(&one->end, RELAY_HALF_MS);
}

static void on_timer(struct end *end)
{
	struct relay_end *one = of(end);

	if (one->partner && one->quiet)
		end_quiet(one);
	else if (one->partner && end->closed_by_peer)
		look_at_half(one);
	else if (one->partner && one->hooks->idle)
		one->hooks->idle(one);
	else if (!one->partner && one->hooks->timer)
		one->hooks->timer(one);
}

static void on_closed(struct end *end)
{
	struct relay_end *one = of(end), *partner = one->partner;

	one->partner = NULL;
	if (partner) {
		counter_add(COUNTER_RELAYS, -1);
		partner->partner = NULL;
		partner->quiet = false;
		partner->cut = !end->closed_by_peer;
		end_hold(&partner->end, false);
		partner->hooks->parted(partner);
	}
	end_finish_queue(end);
	one->hooks->closed(one);
}

static const struct end_face face = {
	.received = on_received,
	.ended = on_ended,
	.drained = on_drained,
	.timer = on_timer,
	.closed = on_closed,
};

void relay_init(struct relay_end *one, const struct relay_hooks *hooks)
{
	one->hooks = hooks;
	one->end.face = &face;
	one->end.owner = one;
}

void relay_join(struct relay_end *one, struct relay_end *other)
{
	one->partner = other;
	other->partner = one;
	counter_add(COUNTER_RELAYS, 1);
	set_hold(one);
	set_hold(other);
}

void relay_keep_quiet(struct relay_end *one, unsigned ms)
{
	one->quiet = true;
	end_set_timer(&one->end, ms);
	if (one->partner)
		set_hold(one->partner);
}
