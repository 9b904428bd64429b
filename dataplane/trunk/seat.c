/* seat: see seat.h. */
#include "dataplane/trunk/seat.h"

#include "dataplane/dataplane.h"
#include "dataplane/switch/frame.h"
#include "dataplane/trunk/places.h"
#include "dataplane/vpnws/peer.h"
#include "lib/clock.h"
#include "lib/mem.h"

#include <stdio.h>
#include <string.h>

#define STATIONS_MAX 1000 /* in one message */

struct seat {
	struct port port; /* first: what the switch gives back is the seat */
	struct trunk *trunk;
	uint32_t number; /* of the session, on its node */
	char session[UUID_SIZE];
	char tenant[UUID_SIZE], network[UUID_SIZE];
	uint64_t drops[DROP_N];
	bool dropped;	   /* some that were not told yet */
	UT_hash_handle hh; /* trunk.seats */
};

static struct seat *find(struct trunk *trunk, uint32_t number)
{
	struct seat *seat;

	HASH_FIND(hh, trunk->seats, &number, sizeof(number), seat);
	return seat;
}

static struct sessions *sessions_of(const struct trunk *trunk)
{
	return trunk->trunks->dataplane->sessions;
}

/* Its port is in no network any more. */
static void free_seat(struct seat *seat)
{
	places_drop_seat(seat->trunk->trunks->places, seat->tenant, seat->network);
	HASH_DELETE(hh, seat->trunk->seats, seat);
	free(seat);
}

static void end_seat(struct seat *seat)
{
	switch_detach(sessions_switch(sessions_of(seat->trunk)), &seat->port);
	free_seat(seat);
}

static void tell_ended(struct trunk *trunk, uint32_t number, const char *reason, bool elsewhere)
{
	Trunk__Ended message = TRUNK__ENDED__INIT;

	message.port = number;
	message.reason = (char *)(uintptr_t)reason;
	message.elsewhere = elsewhere;
	TRUNK_SEND(trunk, ENDED, ended, &message);
}

/* ---- the port's owner ---- */

static void deliver(struct port *port, struct packet *frame)
{
	const struct seat *seat = (const struct seat *)port;

	trunk_push(seat->trunk, TRUNK_DOWN, seat->number, frame);
}

static void on_evicted(struct port *port, const char *why)
{
	struct seat *seat = (struct seat *)port;

	tell_ended(seat->trunk, seat->number, why, false);
	free_seat(seat);
}

static void on_notice(struct port *port, const struct switch_notice *notice)
{
	const struct seat *seat = (const struct seat *)port;
	Trunk__Held held = TRUNK__HELD__INIT;

	sessions_note(sessions_of(seat->trunk),
		&(struct session_card){
			seat->tenant, seat->network, seat->session, NULL, seat->number },
		notice);
	if (notice->event != SWITCH_LOOP)
		return;
	held.port = seat->number;
	held.ms = (uint32_t)(port->held_until_ms - clock_ms());
	TRUNK_SEND(seat->trunk, HELD, held, &held);
}

static void tell_stations(struct trunk *trunk, bool all, size_t n, Trunk__Station **items)
{
	Trunk__Stations message = TRUNK__STATIONS__INIT;

	message.sequence = ++trunk->told_sequence;
	message.all = all;
	message.n_items = n;
	message.items = items;
	TRUNK_SEND(trunk, STATIONS, stations, &message);
}

static void on_station(struct port *port, uint64_t mac, bool has)
{
	const struct seat *seat = (const struct seat *)port;
	Trunk__Station station = TRUNK__STATION__INIT;

	station.port = seat->number;
	station.mac = mac;
	station.own = mac == port->mac;
	station.gone = !has;
	tell_stations(seat->trunk, false, 1, (Trunk__Station *[]){ &station });
}

static const struct port_owner owner = {
	.evicted = on_evicted,
	.notice = on_notice,
	.station = on_station,
};

/* ---- what the edge tells ---- */

/* By its token, and the address that the client has chosen where that is free. NULL, or why not; ""
 * if that can't be told yet, since the key is not known here. */
static const char *read_claims(
	struct trunk *trunk, const Trunk__Join *message, struct token_claims *claims)
{
	err_t err = verifier_recall(trunk->trunks->dataplane->verifier, message->token, claims);
	char mac[FRAME_MAC_TEXT] = "";
	const char *why;

	if (err == ERR_UNAVAILABLE || err == ERR_NOT_FOUND)
		return "";
	if (err != OK || !verifier_allows(claims, "network:attach"))
		return "its token is not valid at the network's home";
	if (message->mac != 0)
		frame_mac_format(message->mac, mac);
	if (peer_apply_headers(claims, mac, NULL, &why) != 0 || !session_claims_good(claims))
		return "it may not have this MAC address";
	return NULL;
}

static struct seat *seat_create(
	struct trunk *trunk, const Trunk__Join *message, const struct token_claims *claims)
{
	struct seat *seat = xcalloc(1, sizeof(*seat));

	session_fill_port(&seat->port, claims);
	seat->port.deliver = deliver;
	seat->port.owner = &owner;
	seat->port.began_ms = message->began_ms;
	seat->port.again = message->again;
	seat->trunk = trunk;
	seat->number = message->port;
	snprintf(seat->session, sizeof(seat->session), "%s", message->session);
	snprintf(seat->tenant, sizeof(seat->tenant), "%s", claims->tenant);
	snprintf(seat->network, sizeof(seat->network), "%s", claims->network);
	HASH_ADD(hh, trunk->seats, number, sizeof(seat->number), seat);
	return seat;
}

void seat_join(struct trunk *trunk, const Trunk__Join *message)
{
	struct switch_ctx *ctx = sessions_switch(sessions_of(trunk));
	struct switch_rules rules;
	struct token_claims claims;
	struct port *replaced;
	struct seat *seat = find(trunk, message->port);
	const char *why = read_claims(trunk, message, &claims);
	err_t err;

	if (seat)
		end_seat(seat);
	if (why) {
		tell_ended(trunk, message->port, why, *why == '\0');
		return;
	}
	if (!places_take_seat(trunk->trunks->places, claims.tenant, claims.network)) {
		tell_ended(trunk, message->port, "", true);
		return;
	}
	seat = seat_create(trunk, message, &claims);
	err = switch_attach(ctx, claims.tenant, claims.network, &seat->port, &replaced);
	if (err != OK) {
		tell_ended(trunk, message->port,
			err == ERR_ABORTED ? SWITCH_REPLACED : SWITCH_TAKEN, false);
		free_seat(seat);
		return;
	}
	session_read_rules(&claims, &rules);
	switch_set_rules(ctx, claims.tenant, claims.network, &rules);
	if (replaced)
		replaced->owner->evicted(replaced, SWITCH_REPLACED);
}

void seat_leave(struct trunk *trunk, uint32_t number)
{
	struct seat *seat = find(trunk, number);

	if (seat)
		end_seat(seat);
}

void seat_frame(struct trunk *trunk, uint32_t number, struct packet *frame)
{
	struct seat *seat = find(trunk, number);
	enum drop why;

	if (!seat)
		return;
	why = sessions_forward(sessions_of(trunk), &seat->port, frame);
	if (why == DROP_NONE)
		return;
	seat->drops[why]++;
	seat->dropped = true;
}

void seat_seen(struct trunk *trunk, const Trunk__Seen *message)
{
	for (size_t i = 0; i < message->n_items; i++) {
		struct seat *seat = find(trunk, message->items[i]->port);

		if (seat)
			switch_touch_station(&seat->port, message->items[i]->mac, clock_ms());
	}
}

/* ---- all that was told ---- */

struct telling {
	struct trunk *trunk;
	const struct seat *seat;
	bool all;
	size_t n;
	Trunk__Station stations[STATIONS_MAX], *items[STATIONS_MAX];
	uint64_t sum;
};

static void flush(struct telling *telling)
{
	tell_stations(telling->trunk, telling->all, telling->n, telling->items);
	telling->all = false;
	telling->n = 0;
}

static void add_station(void *context, uint64_t mac, int64_t seen_ms)
{
	struct telling *telling = context;
	Trunk__Station *station = &telling->stations[telling->n];

	(void)seen_ms;
	trunk__station__init(station);
	station->port = telling->seat->number;
	station->mac = mac;
	station->own = mac == telling->seat->port.mac;
	telling->items[telling->n++] = station;
	if (telling->n == STATIONS_MAX)
		flush(telling);
}

void seats_resync(struct trunk *trunk)
{
	static struct telling telling; /* too large for the stack */

	telling = (struct telling){ .trunk = trunk, .all = true };
	for (telling.seat = trunk->seats; telling.seat; telling.seat = telling.seat->hh.next)
		switch_visit_stations(&telling.seat->port, add_station, &telling);
	flush(&telling);
}

static void add_to_sum(void *context, uint64_t mac, int64_t seen_ms)
{
	struct telling *telling = context;

	(void)seen_ms;
	telling->sum = trunk_sum(telling->sum, telling->seat->number, mac);
}

void seats_tell_digest(struct trunk *trunk)
{
	static struct telling telling;
	Trunk__Digest message = TRUNK__DIGEST__INIT;

	telling = (struct telling){ .trunk = trunk };
	for (telling.seat = trunk->seats; telling.seat; telling.seat = telling.seat->hh.next)
		switch_visit_stations(&telling.seat->port, add_to_sum, &telling);
	message.sequence = trunk->told_sequence;
	message.sum = telling.sum;
	TRUNK_SEND(trunk, DIGEST, digest, &message);
}

void seats_tell_drops(struct trunk *trunk)
{
	for (struct seat *seat = trunk->seats; seat; seat = seat->hh.next) {
		Trunk__Dropped message = TRUNK__DROPPED__INIT;

		if (!seat->dropped)
			continue;
		message.port = seat->number;
		message.n_drops = DROP_N;
		message.drops = seat->drops;
		TRUNK_SEND(trunk, DROPPED, dropped, &message);
		memset(seat->drops, 0, sizeof(seat->drops));
		seat->dropped = false;
	}
}

/* ---- their end ---- */

static bool is_in(const struct seat *seat, const char *tenant, const char *network)
{
	return strcmp(seat->tenant, tenant) == 0 && strcmp(seat->network, network) == 0;
}

unsigned seats_count(const struct trunk *trunk, const char *tenant, const char *network)
{
	unsigned n = 0;

	for (const struct seat *seat = trunk->seats; seat; seat = seat->hh.next)
		n += is_in(seat, tenant, network);
	return n;
}

unsigned seats_end(struct trunk *trunk, const char *tenant, const char *network)
{
	struct seat *seat, *next;
	unsigned n = 0;

	HASH_ITER(hh, trunk->seats, seat, next)
	if (is_in(seat, tenant, network)) {
		end_seat(seat);
		n++;
	}
	return n;
}

void seats_end_all(struct trunk *trunk)
{
	struct seat *seat, *next;

	HASH_ITER(hh, trunk->seats, seat, next)
	end_seat(seat);
}
