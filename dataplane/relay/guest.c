/*
 * guest: all guests of the node by their connection, and a timer that claims again for those that
 * wait, whom rendezvous forgets else, and tells it what those that are joined have sent.
 */
#include "dataplane/relay/guest.h"

#include "dataplane/dataplane.h"
#include "dataplane/relay/claim.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/revoked.h"

#include <stdio.h>
#include <string.h>

#define TICK_MS	    250
#define TURN_TICKS  80 /* 20 s; rendezvous forgets after 60 */
#define CHECK_TICKS 4  /* 1 s */
#define CLAIMS_MAX  8  /* whose partners went away again and again */

struct guests {
	struct dataplane *dataplane;
	struct guest *by_id;
	uv_timer_t timer;
	unsigned ticks;
	unsigned n_arrived;
};

static void claim(struct guest *guest)
{
	guest->again = false;
	claim_make(guest->guests->dataplane, guest);
}

/* Guests have their turns spread over the time, each in its own tick. */
static bool is_due(const struct guest *guest)
{
	return guest->guests->ticks % TURN_TICKS == guest->turn % TURN_TICKS;
}

static uint64_t bytes_of(const struct guest *guest)
{
	return guest->relay.end.rx_bytes - guest->rx_before;
}

static void count(struct guest *guest)
{
	if (guest->counted == bytes_of(guest) || *guest->pair == '\0')
		return;
	guest->counted = bytes_of(guest);
	claim_count(guest->guests->dataplane, guest->tenant, guest->pair, guest->relay.end.id,
		guest->counted);
}

static void look_after(struct guest *guest)
{
	if (guest->guests->ticks % CHECK_TICKS == 0)
		keepalive_check(guest);
	if (is_due(guest))
		count(guest);
}

static void on_tick(uv_timer_t *timer)
{
	struct guests *guests = timer->data;
	struct guest *guest, *next;

	guests->ticks++;
	HASH_ITER(hh, guests->by_id, guest, next)
	{
		if (guest->again || (guest->state == GUEST_WAITING && is_due(guest)))
			claim(guest);
		else if (guest->state == GUEST_MET)
			look_after(guest);
	}
}

struct guests *guests_create(struct dataplane *dataplane)
{
	struct guests *guests = xcalloc(1, sizeof(*guests));

	guests->dataplane = dataplane;
	return guests;
}

void guests_close(struct guests *guests)
{
	if (guests->timer.data)
		uv_close((uv_handle_t *)&guests->timer, NULL);
	guests->timer.data = NULL;
}

void guests_destroy(struct guests *guests)
{
	if (guests && guests->by_id)
		BUG("%u guests left", HASH_COUNT(guests->by_id));
	free(guests);
}

void guest_arrive(struct guests *guests, struct guest *guest)
{
	if (!guests->timer.data) {
		uv_timer_init(loop_uv(guests->dataplane->loop), &guests->timer);
		uv_timer_start(&guests->timer, on_tick, TICK_MS, TICK_MS);
		guests->timer.data = guests;
	}
	guest->guests = guests;
	guest->turn = guests->n_arrived++;
	guest->state = GUEST_CLAIMING;
	HASH_ADD_KEYPTR(hh, guests->by_id, guest->relay.end.id, strlen(guest->relay.end.id), guest);
	claim(guest);
}

static void release(struct guest *guest)
{
	if (*guest->pair != '\0')
		claim_release(guest->guests->dataplane, guest->tenant, guest->pair,
			guest->relay.end.id, bytes_of(guest));
	*guest->pair = '\0';
}

void guest_closed(struct guest *guest)
{
	if (guest->guests) {
		if (guest->state == GUEST_MET)
			log_info("relay_ended", "pair=%s connection=%s", guest->pair,
				guest->relay.end.id);
		HASH_DELETE(hh, guest->guests->by_id, guest);
		release(guest);
	}
	free(guest->name);
	free(guest->uuid);
	free(guest->user);
}

struct guest *guest_find(struct guests *guests, const char *connection)
{
	struct guest *guest;

	HASH_FIND_STR(guests->by_id, connection, guest);
	return guest;
}

/* ---- meeting ---- */

static void set_pair(struct guest *guest, const char *pair)
{
	if (pair != guest->pair)
		snprintf(guest->pair, sizeof(guest->pair), "%s", pair);
}

static bool is_over(const struct guest *guest)
{
	return guest->state == GUEST_MET || guest->state == GUEST_OVER ||
	       guest->relay.end.state != END_OPEN;
}

void guest_wait(struct guest *guest, const char *pair)
{
	bool first = guest->state == GUEST_CLAIMING;

	set_pair(guest, pair);
	if (is_over(guest)) /* it may have been met before it heard that it has to wait */
		return;
	guest->state = GUEST_WAITING;
	if (first)
		guest->hooks->waits(guest);
}

static void met(struct guest *guest, const char *name, const char *uuid)
{
	guest->state = GUEST_MET;
	keepalive_begin(guest);
	guest->rx_before = guest->relay.end.rx_bytes;
	guest->counted = 0;
	guest->hooks->met(guest, name ? name : "", uuid ? uuid : "");
}

static bool same_client(const struct guest *one, const struct guest *other)
{
	return one->uuid && other->uuid && strcmp(one->uuid, other->uuid) == 0;
}

void guest_meet_here(struct guest *guest, const char *pair, const char *partner_id)
{
	struct guest *partner = guest_find(guest->guests, partner_id);

	set_pair(guest, pair);
	if (is_over(guest))
		return; /* the partner's claim was answered first */
	if (!partner || partner == guest || is_over(partner)) {
		guest_claim_again(guest);
		return;
	}
	if (same_client(guest, partner)) {
		guest->state = partner->state = GUEST_OVER;
		partner->hooks->met_itself(partner);
		guest->hooks->met_itself(guest);
		return;
	}
	if (partner->state == GUEST_CLAIMING) { /* its own answer is still on the way */
		partner->state = GUEST_WAITING;
		partner->hooks->waits(partner);
	}
	set_pair(partner, pair);
	log_info("relay_joined", "pair=%s first=%s second=%s", guest->pair, partner_id,
		guest->relay.end.id);
	relay_join(&partner->relay, &guest->relay);
	met(partner, guest->name, guest->uuid);
	met(guest, partner->name, partner->uuid);
}

void guest_meet_far(struct guest *guest, struct relay_end *far, const char *name, const char *uuid)
{
	relay_join(&guest->relay, far);
	met(guest, name, uuid);
}

void guest_claim_again(struct guest *guest)
{
	release(guest);
	if (is_over(guest))
		return;
	if (guest->n_claims++ < CLAIMS_MAX)
		guest->again = true;
	else
		guest_refuse(guest, ERR_UNAVAILABLE, "the other end has gone");
}

void guest_refuse(struct guest *guest, err_t err, const char *detail)
{
	if (is_over(guest))
		return;
	if (guest->patient && err != ERR_ALREADY_EXISTS && err != ERR_INVALID_ARGUMENT &&
		err != ERR_PERMISSION_DENIED && err != ERR_RESOURCE_EXHAUSTED) {
		guest->again = true;
		return;
	}
	if (guest->state == GUEST_WAITING) /* it waits on, and is announced again */
		return;
	guest->state = GUEST_OVER;
	guest->hooks->refused(guest, err, detail);
}

/* ---- what others decide ---- */

void guests_end_pair(struct guests *guests, const char *pair)
{
	struct guest *guest, *next;

	HASH_ITER(hh, guests->by_id, guest, next)
	if (strcmp(guest->pair, pair) == 0)
		guest->hooks->ended(guest, WS_STATUS_NORMAL, "the pair was closed");
}

void guests_end_subject(struct guests *guests, const char *subject, int64_t not_before)
{
	struct guest *guest, *next;

	HASH_ITER(hh, guests->by_id, guest, next)
	if (guest->issued_at != 0 && guest->issued_at < not_before &&
		revoked_means(subject, guest->subject, guest->tenant))
		guest->hooks->ended(guest, WS_STATUS_POLICY, "revoked");
}

struct dataplane *guest_dataplane(const struct guest *guest)
{
	return guest->guests->dataplane;
}

void guests_each(struct guests *guests, void (*each)(struct guest *guest, void *arg), void *arg)
{
	struct guest *guest, *next;

	HASH_ITER(hh, guests->by_id, guest, next)
	each(guest, arg);
}
