/* edge: see edge.h. */
#include "dataplane/trunk/edge.h"

#include "dataplane/dataplane.h"
#include "dataplane/trunk/places.h"
#include "lib/clock.h"
#include "lib/mem.h"

#define SEEN_MAX 1000 /* stations in one message */

/* A session's port at the other node. */
struct carried {
	struct trunk *trunk;
	struct port *port;
	struct session_card card;
	UT_hash_handle hh; /* trunk.carried */
};

static struct carried *find(struct trunk *trunk, uint32_t number)
{
	struct carried *carried;

	HASH_FIND(hh, trunk->carried, &number, sizeof(number), carried);
	return carried;
}

/* ---- the uplink ---- */

static void join(struct uplink *uplink, struct port *port, bool again)
{
	struct trunk *trunk = (struct trunk *)uplink;
	struct carried *carried = xcalloc(1, sizeof(*carried));
	Trunk__Join message = TRUNK__JOIN__INIT;

	carried->trunk = trunk;
	carried->port = port;
	session_describe(port, &carried->card);
	port->place = carried;
	HASH_ADD(hh, trunk->carried, card.number, sizeof(carried->card.number), carried);
	message.port = carried->card.number;
	message.session = (char *)(uintptr_t)carried->card.id;
	message.token = (char *)(uintptr_t)carried->card.token;
	message.mac = port->mac;
	message.began_ms = port->began_ms;
	message.again = again;
	TRUNK_SEND(trunk, JOIN, join, &message);
}

static void leave(struct uplink *uplink, struct port *port)
{
	struct trunk *trunk = (struct trunk *)uplink;
	struct carried *carried = port->place;
	Trunk__Leave message = TRUNK__LEAVE__INIT;

	message.port = carried->card.number;
	TRUNK_SEND(trunk, LEAVE, leave, &message);
	HASH_DELETE(hh, trunk->carried, carried);
	port->place = NULL;
	free(carried);
}

static enum drop forward(struct uplink *uplink, struct port *from, struct packet *frame)
{
	const struct carried *carried = from->place;

	trunk_push((struct trunk *)uplink, TRUNK_UP, carried->card.number, frame);
	return DROP_NONE;
}

void edge_init(struct trunk *trunk)
{
	trunk->uplink = (struct uplink){ .join = join, .leave = leave, .forward = forward };
}

/* ---- what the home tells ---- */

void edge_deliver(struct trunk *trunk, uint32_t number, struct packet *frame)
{
	const struct carried *carried = find(trunk, number);

	if (carried)
		sessions_deliver(trunk->trunks->dataplane->sessions, carried->port, frame);
}

void edge_ended(struct trunk *trunk, const Trunk__Ended *message)
{
	struct carried *carried = find(trunk, message->port);
	struct port *port = carried ? carried->port : NULL;

	if (port && message->elsewhere)
		places_doubt(trunk->trunks->places, carried->card.tenant, carried->card.network);
	else if (port)
		sessions_evict(trunk->trunks->dataplane->sessions, port, message->reason);
}

static void forget_stations(struct trunk *trunk)
{
	for (struct carried *carried = trunk->carried; carried; carried = carried->hh.next)
		switch_drop_stations(carried->port);
}

static void ask_for_all(struct trunk *trunk)
{
	Trunk__Resync message = TRUNK__RESYNC__INIT;

	if (trunk->resync)
		return;
	trunk->resync = true;
	TRUNK_SEND(trunk, RESYNC, resync, &message);
}

void edge_stations(struct trunk *trunk, const Trunk__Stations *message)
{
	if (message->all) {
		trunk->resync = false;
		forget_stations(trunk);
	} else if (message->sequence != trunk->heard_sequence + 1) {
		ask_for_all(trunk);
		return;
	}
	trunk->heard_sequence = message->sequence;
	for (size_t i = 0; i < message->n_items; i++) {
		const Trunk__Station *station = message->items[i];
		struct carried *carried = find(trunk, station->port);

		if (carried && station->gone)
			switch_drop_station(carried->port, station->mac);
		else if (carried)
			switch_put_station(carried->port, station->mac, station->own);
	}
}

struct summing {
	uint64_t sum;
	uint32_t number;
};

static void add_to_sum(void *context, uint64_t mac, int64_t seen_ms)
{
	struct summing *summing = context;

	(void)seen_ms;
	summing->sum = trunk_sum(summing->sum, summing->number, mac);
}

void edge_digest(struct trunk *trunk, const Trunk__Digest *message)
{
	struct summing summing = { 0 };

	for (struct carried *carried = trunk->carried; carried; carried = carried->hh.next) {
		summing.number = carried->card.number;
		switch_visit_stations(carried->port, add_to_sum, &summing);
	}
	if (message->sequence != trunk->heard_sequence || message->sum != summing.sum)
		ask_for_all(trunk);
}

void edge_held(struct trunk *trunk, const Trunk__Held *message)
{
	struct carried *carried = find(trunk, message->port);

	if (carried)
		switch_hold(carried->port, clock_ms() + message->ms);
}

void edge_dropped(struct trunk *trunk, const Trunk__Dropped *message)
{
	struct carried *carried = find(trunk, message->port);

	for (size_t why = 1; carried && why < message->n_drops && why < DROP_N; why++)
		session_count_drop(carried->port, (enum drop)why, message->drops[why]);
}

/* ---- what the home does not see ---- */

struct telling {
	struct trunk *trunk;
	uint32_t number;
	int64_t since_ms;
	size_t n;
	Trunk__Station stations[SEEN_MAX], *items[SEEN_MAX];
};

static void tell_seen(struct telling *telling)
{
	Trunk__Seen message = TRUNK__SEEN__INIT;

	message.n_items = telling->n;
	message.items = telling->items;
	if (telling->n > 0)
		TRUNK_SEND(telling->trunk, SEEN, seen, &message);
	telling->n = 0;
}

static void add_seen(void *context, uint64_t mac, int64_t seen_ms)
{
	struct telling *telling = context;
	Trunk__Station *station = &telling->stations[telling->n];

	if (seen_ms < telling->since_ms)
		return;
	trunk__station__init(station);
	station->port = telling->number;
	station->mac = mac;
	telling->items[telling->n++] = station;
	if (telling->n == SEEN_MAX)
		tell_seen(telling);
}

void edge_tell_seen(struct trunk *trunk, int64_t since_ms)
{
	static struct telling telling; /* too large for the stack */

	telling.trunk = trunk;
	telling.since_ms = since_ms;
	for (struct carried *carried = trunk->carried; carried; carried = carried->hh.next) {
		telling.number = carried->card.number;
		switch_visit_stations(carried->port, add_seen, &telling);
	}
	tell_seen(&telling);
}
