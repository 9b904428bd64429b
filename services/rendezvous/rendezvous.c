/*
 * rendezvous: what people see of pairs, and clearing up after them. In workers of the bus;
 * rendezvous_sweep in the thread of the tasks.
 */
#include "services/rendezvous/rendezvous.h"

#include "lib/check.h"
#include "lib/clock.h"
#include "lib/event.h"
#include "proto/event.pb-c.h"
#include "services/rendezvous/store.h"
#include "services/rendezvous/tunnel.h"

#include <stdbool.h>
#include <string.h>

#define TRAFFIC_DAYS	 31
#define TRAFFIC_DAYS_MAX 400

err_t rendezvous_publish_closed(struct call *call, const char *id)
{
	Event__PairClosed event = EVENT__PAIR_CLOSED__INIT;

	event.pair = (char *)id;
	return event_publish(call, "pair", &event.base);
}

/* ---- what people see ---- */

err_t rendezvous_get_pair(struct call *call, const Rendezvous__Ref *request, Rendezvous__Pair *pair)
{
	err_t err;

	if ((err = check_uuid(call, "id", request->id)) != OK)
		return err;
	return store_get(call, request->id, pair);
}

err_t rendezvous_list_pairs(
	struct call *call, const Rendezvous__ListRequest *request, Rendezvous__PairList *list)
{
	static const char *const states[] = { "waiting", "joined", "closed", NULL };
	err_t err;

	if (*request->cursor != '\0' && (err = check_uuid(call, "cursor", request->cursor)) != OK)
		return err;
	if (*request->state != '\0' &&
		(err = check_word(call, "state", request->state, states)) != OK)
		return err;
	return store_list(call, request, list);
}

err_t rendezvous_list_traffic(
	struct call *call, const Rendezvous__TrafficRequest *request, Rendezvous__TrafficList *list)
{
	if (request->days > TRAFFIC_DAYS_MAX)
		return call_refuse(call, ERR_INVALID_ARGUMENT, "days", "expected at most %d days",
			TRAFFIC_DAYS_MAX);
	return store_list_traffic(call, request->days != 0 ? request->days : TRAFFIC_DAYS, list);
}

err_t rendezvous_close_pair(
	struct call *call, const Rendezvous__Ref *request, Rendezvous__Pair *pair)
{
	err_t err;

	if ((err = check_uuid(call, "id", request->id)) != OK)
		return err;
	if ((err = store_get_locked(call, request->id, pair)) != OK)
		return err;
	if (request->version != 0 && request->version != pair->version)
		return call_refuse(call, ERR_FAILED_PRECONDITION, "version",
			"expected the version that the pair has now");
	if (strcmp(pair->state, "closed") == 0)
		return OK;
	if ((err = rendezvous_publish_closed(call, request->id)) != OK)
		return err;
	return store_close(call, request->id, pair);
}

/* ---- clearing up ---- */

/* Events go out in the name of the tenant whose pair it was. */
static err_t publish_all(struct call *call, const struct store_ended *ended, size_t n)
{
	err_t err = OK;

	for (size_t i = 0; i < n && err == OK; i++) {
		call->tenant = ended[i].tenant;
		err = rendezvous_publish_closed(call, ended[i].id);
	}
	call->tenant = CALL_FLEET;
	return err;
}

/* Was PostgreSQL there a moment ago? After an outage every heartbeat is old, and no node is judged
 * by its own until all had the time to write a new one. */
static bool heartbeats_tell(void)
{
	static int64_t last_ms; /* of the one thread that runs tasks */
	int64_t now_ms = clock_ms();
	bool recent = last_ms != 0 && now_ms - last_ms < 3 * RENDEZVOUS_SWEEP_S * 1000;

	last_ms = now_ms;
	return recent;
}

err_t rendezvous_sweep(struct call *call)
{
	struct store_ended *ended;
	size_t n;
	err_t err;

	if ((err = store_expire(call, &ended, &n)) != OK)
		return err;
	if ((err = publish_all(call, ended, n)) != OK)
		return err;
	if (heartbeats_tell()) {
		if ((err = store_abandon(call, &ended, &n)) != OK)
			return err;
		if ((err = publish_all(call, ended, n)) != OK)
			return err;
		if ((err = tunnel_sweep(call)) != OK)
			return err;
	}
	return store_forget(call);
}
