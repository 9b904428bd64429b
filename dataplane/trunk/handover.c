/* handover: a node that stops gives its homes away; see places.h. */
#include "dataplane/copy.h"
#include "dataplane/dataplane.h"
#include "dataplane/trunk/ask.h"
#include "dataplane/trunk/place.h"
#include "dataplane/trunk/seat.h"
#include "lib/clock.h"
#include "lib/log.h"

#include <string.h>

bool places_is_left(const struct places *places, const struct home *home)
{
	return places->draining && strcmp(home->node, places_dataplane(places)->instance) == 0;
}

/* The edge with the most sessions of the network, of those that stay. */
static const struct trunk *find_heir(const struct places *places, const struct place *place)
{
	const struct trunk *heir = NULL;
	unsigned most = 0;

	for (struct trunk *trunk = places->trunks->by_node; trunk; trunk = trunk->hh.next) {
		unsigned n = seats_count(trunk, place->key.tenant, place->key.network);

		if (n > most && !trunk->stops) {
			heir = trunk;
			most = n;
		}
	}
	return heir;
}

/* What is not in the answer is no network any more. */
static void on_handed_over(void *context, const struct ask *ask)
{
	struct places *places = context;
	struct place *place;

	places->handing = false;
	if (places->trunks->closing)
		return;
	if (ask->err != OK)
		log_warn("hand_over_failed",
			"error=%s action=\"asks again; at the end others take the networks\"",
			log_value(ask->detail));
	else
		log_info("handed_over", "homes=%zu", ask->n_claims);
	for (size_t i = 0; ask->err == OK && i < ask->n_claims; i++) {
		place = places_find_asked(
			places, ask, ask->claims[i].tenant, ask->claims[i].network);
		if (place)
			place->left = true;
	}
	for (size_t i = 0; i < ask->n_homes; i++) {
		const struct home *home = &ask->homes[i];

		place = places_find_asked(places, ask, home->tenant, home->network);
		if (!place || places_is_left(places, home))
			continue;
		places_set_role(places, place, home);
		place->changed_ms = clock_ms();
	}
}

static bool is_to_hand_over(const struct place *place)
{
	return place->role == PLACE_HOME && !place->left;
}

void places_hand_over(struct places *places)
{
	size_t n = 0;
	struct ask *ask;

	for (struct place *place = places->by_key; place; place = place->hh.next)
		n += is_to_hand_over(place);
	if (n == 0 || places->handing || places->trunks->closing)
		return;
	ask = ask_create(places_dataplane(places), ASK_HAND_OVER, n, on_handed_over, places);
	for (struct place *place = places->by_key; place; place = place->hh.next) {
		const struct trunk *heir;
		struct ask_claim *claim;

		if (!is_to_hand_over(place))
			continue;
		heir = find_heir(places, place);
		claim = ask_add(ask, place->key.tenant, place->key.network);
		COPY(claim->heir, heir ? heir->node : "");
		COPY(claim->heir_name, heir ? heir->name : "");
	}
	places->handing = true;
	ask_send(ask);
}

void places_drain(struct places *places)
{
	places->draining = true;
	for (struct trunk *trunk = places->trunks->by_node; trunk; trunk = trunk->hh.next)
		trunk_tell_node(trunk, true);
	places_hand_over(places);
}

bool places_handed_over(const struct places *places)
{
	for (const struct place *place = places->by_key; place; place = place->hh.next)
		if (is_to_hand_over(place))
			return false;
	return true;
}

bool places_draining(const struct places *places)
{
	return places->draining;
}
