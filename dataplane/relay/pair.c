/*
 * pair: see pair.h. What a client sends before the other one is there is kept; when that is much,
 * it is not read any further.
 */
#include "dataplane/relay/pair.h"

#include "dataplane/dataplane.h"
#include "dataplane/net/channel.h"
#include "dataplane/relay/guest.h"
#include "lib/mem.h"

#include <stdio.h>
#include <string.h>

struct pair {
	struct guest guest;
	struct dataplane *dataplane;
	struct pipe early; /* what it sent while it was alone */
};

static void on_received(struct relay_end *one, const struct pipe_piece *piece)
{
	struct pair *pair = (struct pair *)one;

	pipe_push(&pair->early, piece);
	if (pair->early.bytes >= PIPE_FULL)
		end_hold(&one->end, true);
}

static void on_parted(struct relay_end *one)
{
	if (one->cut)
		end_finish(&one->end, WS_STATUS_GOING_AWAY, "the other end was cut off");
	else
		end_finish(&one->end, WS_STATUS_NORMAL, "the other end has closed");
}

static void on_timer(struct relay_end *one)
{
	end_close(&one->end, WS_STATUS_TRY_LATER, "the other end did not come");
}

static void on_closed(struct relay_end *one)
{
	struct pair *pair = (struct pair *)one;

	crowd_leave(&pair->dataplane->pairs, one->end.address);
	guest_closed(&pair->guest);
	pipe_finish(&pair->early);
	free(pair);
}

static const struct relay_hooks relay_hooks = {
	.received = on_received,
	.parted = on_parted,
	.timer = on_timer,
	.closed = on_closed,
};

static void on_waits(struct guest *guest)
{
	(void)guest; /* its time runs since it came */
}

static void on_met(struct guest *guest, const char *name, const char *uuid)
{
	struct pair *pair = (struct pair *)guest;
	struct pipe_piece piece;

	(void)name;
	(void)uuid;
	end_set_timer(&guest->relay.end, 0);
	while (pipe_peek(&pair->early, &piece)) {
		end_push(&guest->relay.partner->end, &piece);
		pipe_take(&pair->early, piece.len);
		pipe_release(&pair->early);
	}
}

static void on_met_itself(struct guest *guest)
{
	end_close(&guest->relay.end, WS_STATUS_POLICY, "this is the same client");
}

static void on_refused(struct guest *guest, err_t err, const char *detail)
{
	bool policy = err == ERR_ALREADY_EXISTS || err == ERR_INVALID_ARGUMENT ||
		      err == ERR_PERMISSION_DENIED || err == ERR_FAILED_PRECONDITION;

	if (policy)
		end_close(&guest->relay.end, WS_STATUS_POLICY, detail);
	else
		end_close(&guest->relay.end, WS_STATUS_TRY_LATER, "no pair can be made just now");
}

static void on_ended(struct guest *guest, enum ws_status code, const char *reason)
{
	end_close(&guest->relay.end, code, reason);
}

static const struct guest_hooks guest_hooks = {
	.waits = on_waits,
	.met = on_met,
	.met_itself = on_met_itself,
	.refused = on_refused,
	.ended = on_ended,
};

void pair_create(struct dataplane *dataplane, struct channel *channel,
	const struct token_claims *claims, const char *nonce)
{
	struct pair *pair = xcalloc(1, sizeof(*pair));
	struct guest *guest = &pair->guest;

	pair->dataplane = dataplane;
	end_of_channel(&guest->relay.end, channel);
	crowd_enter(&dataplane->pairs, guest->relay.end.address);
	relay_init(&guest->relay, &relay_hooks);
	guest->hooks = &guest_hooks;
	guest->patient = true;
	end_set_timer(&guest->relay.end, PAIR_WAIT_MS);
	guest->issued_at = claims->issued_at;
	snprintf(guest->tenant, sizeof(guest->tenant), "%s", claims->tenant);
	snprintf(guest->subject, sizeof(guest->subject), "%s", claims->subject);
	snprintf(guest->token_id, sizeof(guest->token_id), "%s", claims->id);
	snprintf(guest->nonce, sizeof(guest->nonce), "%s", nonce);
	guest_arrive(dataplane->guests, guest);
}
