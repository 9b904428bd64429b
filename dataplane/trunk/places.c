/* places: see places.h. */
#include "dataplane/trunk/places.h"

#include "dataplane/copy.h"
#include "dataplane/counters.h"
#include "dataplane/dataplane.h"
#include "dataplane/trunk/place.h"
#include "dataplane/trunk/seat.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"

#include <string.h>

#define RENEW_MS 3000
#define WAIT_MS	 2000 /* at least, who waits for a home */
#define LEASE_MS 10000

static void key_fill(struct place_key *key, const char *tenant, const char *network)
{
	memset(key, 0, sizeof(*key));
	COPY(key->tenant, tenant);
	COPY(key->network, network);
}

struct place *places_find(struct places *places, const char *tenant, const char *network)
{
	struct place_key key;
	struct place *place;

	key_fill(&key, tenant, network);
	HASH_FIND(hh, places->by_key, &key, sizeof(key), place);
	return place;
}

struct place *places_find_asked(
	struct places *places, const struct ask *ask, const char *tenant, const char *network)
{
	struct place *place = places_find(places, tenant, network);

	return place && place->changed_ms <= ask->begun_ms ? place : NULL;
}

static struct place *get(struct places *places, const char *tenant, const char *network)
{
	struct place *place = places_find(places, tenant, network);

	if (place)
		return place;
	place = xcalloc(1, sizeof(*place));
	key_fill(&place->key, tenant, network);
	place->urgent = true;
	TAILQ_INIT(&place->waits);
	HASH_ADD(hh, places->by_key, key, sizeof(place->key), place);
	return place;
}

static bool is_used(const struct place *place)
{
	return place->n_sessions > 0 || place->n_seats > 0 || !TAILQ_EMPTY(&place->waits);
}

/* ---- what follows from it ---- */

/* The switch has the uplink that fits what is known. */
static void apply(struct places *places, struct place *place)
{
	struct trunk *trunk = NULL;

	if (place->role == PLACE_AWAY && is_used(place))
		trunk = trunk_want(places->trunks, place->node);
	switch_set_uplink(sessions_switch(places_dataplane(places)->sessions), place->key.tenant,
		place->key.network, trunk ? &trunk->uplink : NULL);
}

/* Tells the node at the trunk who the home is. */
static void tell_moved(struct trunk *trunk, struct place *place)
{
	Trunk__Moved message = TRUNK__MOVED__INIT;

	message.tenant = place->key.tenant;
	message.network = place->key.network;
	message.node = place->node;
	message.name = place->name;
	message.epoch = place->epoch;
	TRUNK_SEND(trunk, MOVED, moved, &message);
}

/* Another node is the home now: the edges here hear it, and have no seats here any more. */
static void send_seats_away(struct places *places, struct place *place)
{
	for (struct trunk *trunk = places->trunks->by_node; trunk; trunk = trunk->hh.next)
		if (seats_end(trunk, place->key.tenant, place->key.network) > 0)
			tell_moved(trunk, place);
}

/* The home before this one, which may not know yet, and may have sessions. */
static void tell_before(struct places *places, struct place *place, const char *before)
{
	struct trunk *trunk;

	if (*before == '\0')
		return;
	COPY(place->before, before);
	trunk = trunk_want(places->trunks, before);
	if (!trunk)
		return; /* places_trunk_opened */
	tell_moved(trunk, place);
	*place->before = '\0';
}

/* Would a session that comes now reach all others of the network at once, as far as can be? The
 * home before may have some, which it carries here as soon as it has heard. */
static bool is_settled(const struct places *places, const struct place *place)
{
	struct trunk *trunk;

	if (place->role != PLACE_AWAY)
		return place->role == PLACE_HOME && *place->before == '\0';
	HASH_FIND_STR(places->trunks->by_node, place->node, trunk);
	return place->unreachable || (trunk && trunk_is_open(trunk));
}

/* Those who began to wait before then have waited enough. */
static void end_waits(struct place *place, int64_t before_ms)
{
	struct home_wait *wait;

	while ((wait = TAILQ_FIRST(&place->waits)) && wait->since_ms <= before_ms) {
		TAILQ_REMOVE(&place->waits, wait, link);
		wait->over(wait);
	}
}

static void settle(struct places *places, struct place *place)
{
	if (is_settled(places, place))
		end_waits(place, INT64_MAX);
}

void places_set_role(struct places *places, struct place *place, const struct home *home)
{
	bool is_here = strcmp(home->node, places_dataplane(places)->instance) == 0;
	bool was_here = place->role == PLACE_HOME;
	struct trunk *before = NULL;

	if (place->role == PLACE_AWAY && strcmp(place->node, home->node) != 0)
		HASH_FIND_STR(places->trunks->by_node, place->node, before);
	if (was_here != is_here || place->epoch != home->epoch)
		log_info("home", "tenant=%s network=%s node=%s epoch=%lld here=%s",
			place->key.tenant, place->key.network, home->node, (long long)home->epoch,
			is_here ? "yes" : "no");
	if (was_here != is_here)
		counter_add(COUNTER_HOMES, is_here ? 1 : -1);
	place->role = is_here ? PLACE_HOME : PLACE_AWAY;
	if (strcmp(place->node, home->node) != 0)
		place->unreachable = false;
	COPY(place->node, home->node);
	COPY(place->name, home->name);
	place->epoch = home->epoch;
	place->urgent = place->told = place->left = false;
	place->until_ms = home->until_ms;
	if (was_here && !is_here)
		send_seats_away(places, place);
	if (before)
		tell_moved(before, place);
	tell_before(places, place, is_here ? home->before : "");
	apply(places, place);
	settle(places, place);
}

/* ---- asking ---- */

static void on_answer(void *context, const struct ask *ask);

static void ask_now(struct places *places, bool all)
{
	enum ask_kind kind = places->draining ? ASK_LOOK : ASK_HOLD;
	size_t n = 0;
	struct ask *ask;

	if (places->asking || places->trunks->closing)
		return;
	for (struct place *place = places->by_key; place; place = place->hh.next)
		n += is_used(place) && (all || place->urgent || place->unreachable);
	if (all)
		places->asked_ms = clock_ms();
	if (n == 0)
		return;
	ask = ask_create(places_dataplane(places), kind, n, on_answer, places);
	for (struct place *place = places->by_key; place; place = place->hh.next)
		if (is_used(place) && (all || place->urgent || place->unreachable)) {
			ask_add(ask, place->key.tenant, place->key.network)->unreachable =
				place->unreachable;
			place->urgent = false;
		}
	places->asking = true;
	ask_send(ask);
}

/* A home that can't renew its lease goes on: nobody else can have it while provision is away, and
 * who has got it is told of by a higher epoch. */
static void on_no_answer(struct places *places, const char *detail)
{
	int64_t now_ms = clock_ms();

	for (struct place *place = places->by_key; place; place = place->hh.next) {
		place->urgent = place->urgent || place->role == PLACE_UNKNOWN;
		if (place->role == PLACE_UNKNOWN)
			end_waits(place, now_ms);
		if (place->role != PLACE_HOME || now_ms < place->until_ms || place->told)
			continue;
		place->told = true;
		log_warn("home_unproven",
			"tenant=%s network=%s epoch=%lld error=%s action=\"goes on as the home "
			"until another node is\"",
			place->key.tenant, place->key.network, (long long)place->epoch,
			log_value(detail));
	}
}

static void on_answer(void *context, const struct ask *ask)
{
	struct places *places = context;

	places->asking = false;
	if (places->trunks->closing)
		return;
	for (size_t i = 0; i < ask->n_homes; i++) {
		const struct home *home = &ask->homes[i];
		struct place *place = places_find_asked(places, ask, home->tenant, home->network);

		if (place && !places_is_left(places, home))
			places_set_role(places, place, home);
	}
	if (ask->err != OK)
		on_no_answer(places, ask->detail);
	else
		ask_now(places, false); /* about those that came meanwhile */
}

/* ---- what comes and goes ---- */

static void forget_if_unused(struct places *places, struct place *place)
{
	if (is_used(place) || (place->role == PLACE_HOME && clock_ms() < place->until_ms))
		return;
	if (place->role == PLACE_HOME)
		counter_add(COUNTER_HOMES, -1);
	HASH_DELETE(hh, places->by_key, place);
	free(place);
}

void places_session(struct places *places, const char *tenant, const char *network, int by)
{
	struct place *place = get(places, tenant, network);

	place->n_sessions += (unsigned)by; /* what is not used any more goes with the next tick */
	if (by > 0 && place->n_sessions == 1)
		apply(places, place);
	if (by > 0 && place->role == PLACE_UNKNOWN)
		ask_now(places, false);
}

bool places_take_seat(struct places *places, const char *tenant, const char *network)
{
	struct place *place = places_find(places, tenant, network);

	if (!place || place->role != PLACE_HOME)
		return false;
	place->n_seats++;
	return true;
}

void places_drop_seat(struct places *places, const char *tenant, const char *network)
{
	struct place *place = places_find(places, tenant, network);

	if (place)
		place->n_seats--;
}

void places_trunk_opened(struct places *places, struct trunk *trunk)
{
	for (struct place *place = places->by_key; place; place = place->hh.next) {
		if (place->role == PLACE_AWAY && strcmp(place->node, trunk->node) == 0) {
			place->unreachable = false;
			apply(places, place);
		}
		if (place->role == PLACE_HOME && strcmp(place->before, trunk->node) == 0)
			tell_before(places, place, trunk->node);
		settle(places, place);
	}
}

void places_trunk_lost(struct places *places, const char *node)
{
	for (struct place *place = places->by_key; place; place = place->hh.next) {
		if (place->role == PLACE_AWAY && strcmp(place->node, node) == 0) {
			place->unreachable = true;
			switch_set_uplink(sessions_switch(places_dataplane(places)->sessions),
				place->key.tenant, place->key.network, NULL);
		}
		if (place->role == PLACE_HOME && strcmp(place->before, node) == 0)
			*place->before = '\0'; /* it asks provision, if it lives */
		settle(places, place);
	}
}

void places_moved(struct places *places, const Trunk__Moved *message)
{
	struct place *place = places_find(places, message->tenant, message->network);
	struct home home = { .epoch = message->epoch, .until_ms = clock_ms() + LEASE_MS };

	if (!place || message->epoch <= place->epoch)
		return;
	COPY(home.node, message->node);
	COPY(home.name, message->name);
	place->changed_ms = clock_ms();
	places_set_role(places, place, &home);
}

bool places_await(
	struct places *places, const char *tenant, const char *network, struct home_wait *wait)
{
	struct place *place = get(places, tenant, network);

	wait->since_ms = clock_ms();
	TAILQ_INSERT_TAIL(&place->waits, wait, link);
	apply(places, place);
	if (is_settled(places, place)) {
		TAILQ_REMOVE(&place->waits, wait, link);
		return false;
	}
	if (place->role == PLACE_UNKNOWN)
		ask_now(places, false);
	return true;
}

const char *places_find_home(struct places *places, const char *tenant, const char *network)
{
	const struct place *place = places_find(places, tenant, network);

	return place && place->role == PLACE_AWAY && !place->unreachable ? place->name : NULL;
}

void places_doubt(struct places *places, const char *tenant, const char *network)
{
	struct place *place = places_find(places, tenant, network);

	if (!place || place->role != PLACE_AWAY)
		return;
	place->role = PLACE_UNKNOWN;
	place->urgent = true;
	apply(places, place);
}

void places_tick(struct places *places)
{
	struct place *place, *next;

	HASH_ITER(hh, places->by_key, place, next)
	{
		if (place->role == PLACE_AWAY && place->unreachable)
			apply(places, place); /* tries the trunk again */
		end_waits(place, clock_ms() - WAIT_MS);
		forget_if_unused(places, place);
	}
	if (places->draining)
		places_hand_over(places);
	ask_now(places, places->draining || clock_ms() - places->asked_ms >= RENEW_MS);
}

struct places *places_create(struct trunks *trunks)
{
	struct places *places = xcalloc(1, sizeof(*places));

	places->trunks = trunks;
	return places;
}

void places_destroy(struct places *places)
{
	struct place *place, *next;

	if (!places)
		return;
	HASH_ITER(hh, places->by_key, place, next)
	{
		end_waits(place, INT64_MAX);
		HASH_DELETE(hh, places->by_key, place);
		free(place);
	}
	free(places);
}
