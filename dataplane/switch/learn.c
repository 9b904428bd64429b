/*
 * learn: stations of a port in a list, all of them in the network's hash.
 */
#include "dataplane/switch/learn.h"

#include "dataplane/switch/frame.h"
#include "lib/mem.h"

#define WINDOW_MS    10000 /* in which moves and returns count */
#define MOVES_MAX    4	   /* of one station; the fifth is the one who began */
#define RETURNS_MAX  16	   /* frames with another port's own address */
#define AGED_AT_ONCE 8	   /* stations looked at when a port wants room */

static bool is_own(const struct station *station)
{
	return station == &station->port->own;
}

static void tell_owner(struct port *port, uint64_t mac, bool has)
{
	if (port->owner && port->owner->station)
		port->owner->station(port, mac, has);
}

static void forget(struct station *station)
{
	struct port *port = station->port;

	tell_owner(port, station->mac, false);
	stations_remove(&port->domain->stations, station);
	TAILQ_REMOVE(&port->learned, station, link);
	port->n_learned--;
	free(station);
}

static bool is_old(const struct station *station, int64_t now_ms)
{
	return !is_own(station) && now_ms - station->seen_ms > LEARN_AGE_MS;
}

void learn_age(struct port *port, int64_t now_ms)
{
	struct station *station, *next;

	for (station = TAILQ_FIRST(&port->learned); station; station = next) {
		next = TAILQ_NEXT(station, link);
		if (is_old(station, now_ms))
			forget(station);
	}
}

/* Forgets old ones among those that were looked at longest ago; those that are not go to the end.
 */
static void make_room(struct port *port, int64_t now_ms)
{
	for (int i = 0; i < AGED_AT_ONCE && port->n_learned > 0; i++) {
		struct station *station = TAILQ_FIRST(&port->learned);

		if (is_old(station, now_ms)) {
			forget(station);
			continue;
		}
		TAILQ_REMOVE(&port->learned, station, link);
		TAILQ_INSERT_TAIL(&port->learned, station, link);
	}
}

static bool has_room(struct port *port, int64_t now_ms)
{
	if (port->n_learned + 1 < port->policy.mac_limit)
		return true;
	make_room(port, now_ms);
	return port->n_learned + 1 < port->policy.mac_limit;
}

static void tell(enum switch_event event, struct port *port, uint64_t mac, const struct port *other,
	const char *detail, int64_t now_ms)
{
	struct switch_notice notice = {
		.event = event, .port = port, .mac = mac, .other = other, .detail = detail
	};

	domain_notify(&notice, now_ms);
}

/* Counts in a window that begins with the first; true when there are more than `max` in it. */
static bool is_often(int64_t *began_ms, unsigned *n, unsigned max, int64_t now_ms)
{
	if (*n == 0 || now_ms - *began_ms > WINDOW_MS) {
		*began_ms = now_ms;
		*n = 0;
	}
	return ++*n > max;
}

static enum drop hold(struct port *port, uint64_t mac, const struct port *other, const char *detail,
	int64_t now_ms)
{
	port->held_until_ms = now_ms + LEARN_HOLD_MS;
	port->n_returned = 0;
	while (!TAILQ_EMPTY(&port->learned))
		forget(TAILQ_FIRST(&port->learned));
	tell(SWITCH_LOOP, port, mac, other, detail, now_ms);
	return DROP_LOOP;
}

/* Another port's own address. Through a bridge that may be a frame of that port that came back. */
static enum drop refuse_owned(struct port *port, const struct station *station, int64_t now_ms)
{
	if (port->policy.bridge &&
		is_often(&port->returned_ms, &port->n_returned, RETURNS_MAX, now_ms))
		return hold(port, station->mac, station->port,
			"frames of another member come back through this bridge", now_ms);
	tell(SWITCH_STATION_REFUSED, port, station->mac, station->port,
		"another member has the address", now_ms);
	return DROP_SOURCE;
}

static enum drop move(struct port *port, struct station *station, int64_t now_ms)
{
	struct port *from = station->port;

	if (is_often(&station->moved_ms, &station->n_moves, MOVES_MAX, now_ms))
		return hold(port, station->mac, from,
			"a station appears here and elsewhere in turns", now_ms);
	TAILQ_REMOVE(&from->learned, station, link);
	from->n_learned--;
	station->port = port;
	station->seen_ms = now_ms;
	TAILQ_INSERT_TAIL(&port->learned, station, link);
	port->n_learned++;
	tell_owner(from, station->mac, false);
	tell_owner(port, station->mac, true);
	tell(SWITCH_STATION_MOVED, port, station->mac, from, "", now_ms);
	return DROP_NONE;
}

void learn_put(struct port *port, uint64_t mac, int64_t now_ms)
{
	struct station *station = xcalloc(1, sizeof(*station));

	station->mac = mac;
	station->port = port;
	station->seen_ms = now_ms;
	stations_add(&port->domain->stations, station);
	TAILQ_INSERT_TAIL(&port->learned, station, link);
	port->n_learned++;
	tell_owner(port, mac, true);
}

static enum drop learn(struct port *port, uint64_t mac, struct station *station, int64_t now_ms)
{
	if (port->mac == 0) {
		port->mac = mac;
		learn_own(port);
		tell(SWITCH_STATION_LEARNED, port, mac, NULL, "its own", now_ms);
		return DROP_NONE;
	}
	if (!has_room(port, now_ms)) {
		tell(SWITCH_STATION_REFUSED, port, mac, NULL,
			"the member has as many addresses as its mac_limit allows", now_ms);
		return DROP_SOURCE;
	}
	if (station)
		return move(port, station, now_ms);
	learn_put(port, mac, now_ms);
	tell(SWITCH_STATION_LEARNED, port, mac, NULL, "", now_ms);
	return DROP_NONE;
}

enum drop learn_source(struct port *port, uint64_t mac, int64_t now_ms)
{
	struct station *station;

	if (mac == 0 || frame_mac_is_group(mac))
		return DROP_SOURCE;
	if (mac == port->mac)
		return DROP_NONE;
	station = learn_find(port->domain, mac, now_ms);
	if (station && station->port == port) {
		station->seen_ms = now_ms;
		return DROP_NONE;
	}
	if (station && is_own(station))
		return refuse_owned(port, station, now_ms);
	return learn(port, mac, station, now_ms);
}

struct station *learn_find(struct domain *domain, uint64_t mac, int64_t now_ms)
{
	struct station *station = stations_find(&domain->stations, mac);

	if (!station || !is_old(station, now_ms))
		return station;
	forget(station);
	return NULL;
}

void learn_own(struct port *port)
{
	struct station *station = stations_find(&port->domain->stations, port->mac);

	if (station)
		forget(station);
	port->own = (struct station){ .mac = port->mac, .port = port };
	stations_add(&port->domain->stations, &port->own);
	tell_owner(port, port->mac, true);
}

void learn_drop(struct station *station)
{
	forget(station);
}

void learn_forget(struct port *port)
{
	while (!TAILQ_EMPTY(&port->learned))
		forget(TAILQ_FIRST(&port->learned));
	if (port->own.port)
		stations_remove(&port->domain->stations, &port->own);
	port->own.port = NULL;
}
