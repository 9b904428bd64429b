/*
 * rendezvous: claims, their end, and what people see of them. In workers of the bus;
 * rendezvous_sweep in the thread of the tasks.
 */
#include "services/rendezvous/rendezvous.h"

#include "lib/check.h"
#include "lib/clock.h"
#include "lib/event.h"
#include "proto/event.pb-c.h"
#include "services/rendezvous/claim.h"
#include "services/rendezvous/store.h"
#include "services/rendezvous/tunnel.h"

#include <stdbool.h>
#include <string.h>

#define TOKEN_ID_MAX   128
#define NONCE_MAX      128
#define CONNECTION_MAX 128

#define TRAFFIC_DAYS	 31
#define TRAFFIC_DAYS_MAX 400

/* Tells the nodes to end the pair's connections. */
static err_t publish_closed(struct call *call, const char *id)
{
	Event__PairClosed event = EVENT__PAIR_CLOSED__INIT;

	event.pair = (char *)id;
	return event_publish(call, "pair", &event.base);
}

/* ---- claims ---- */

static err_t check_claim(struct call *call, const Rendezvous__ClaimRequest *request)
{
	err_t err;

	if ((err = check_text(call, "token_id", request->token_id, 1, TOKEN_ID_MAX)) != OK)
		return err;
	if ((err = check_text(call, "nonce", request->nonce, 0, NONCE_MAX)) != OK)
		return err;
	if ((err = check_uuid(call, "node", request->node)) != OK)
		return err;
	return check_text(call, "connection", request->connection, 1, CONNECTION_MAX);
}

static err_t answer(Rendezvous__ClaimResult *result, const char *id, const struct claim_end *peer)
{
	result->pair = (char *)id;
	result->state = peer != NULL ? "joined" : "waiting";
	if (peer != NULL) {
		result->peer_node = (char *)peer->node;
		result->peer_connection = (char *)peer->connection;
	}
	return OK;
}

/* Adds a waiting pair, unless the tenant has too many or another claim was faster. */
static err_t wait_as_first(
	struct call *call, const Rendezvous__ClaimRequest *request, const char **id)
{
	bool full = false;
	err_t err;

	if ((err = store_is_full(call, &full)) != OK)
		return err;
	if (full)
		return call_refuse(call, ERR_RESOURCE_EXHAUSTED, NULL,
			"expected fewer than " STORE_WAITING_MAX " waiting pairs in the tenant");
	if ((err = store_token_is_full(call, request->token_id, &full)) != OK)
		return err;
	if (full)
		return call_refuse(call, ERR_RESOURCE_EXHAUSTED, "token_id",
			"expected fewer than " STORE_TOKEN_MAX " live pairs of the token");
	return store_insert(call, request, id);
}

/* Acts on the verdict over a live pair. *over: the pair has ended, the claim is still to be made.
 */
static err_t meet(struct call *call, const Rendezvous__ClaimRequest *request,
	const struct claim_pair *pair, Rendezvous__ClaimResult *result, bool *over)
{
	const struct claim_end end = { request->node, request->connection };
	err_t err;

	switch (claim_judge(pair, &end)) {
	case CLAIM_FIRST:
		if (!pair->joined && (err = store_announce(call, pair->id)) != OK)
			return err;
		return answer(result, pair->id, pair->joined ? &pair->second : NULL);
	case CLAIM_SECOND:
		return answer(result, pair->id, &pair->first);
	case CLAIM_JOINS:
		if ((err = store_join(call, pair->id, &end)) != OK)
			return err;
		return answer(result, pair->id, &pair->first);
	case CLAIM_REFUSE:
		return call_refuse(call, ERR_ALREADY_EXISTS, "nonce",
			"expected a nonce that no two other clients of the token use");
	case CLAIM_REPLACE:
		*over = true;
		if ((err = store_end(call, pair->id)) != OK)
			return err;
		return publish_closed(call, pair->id);
	}
	BUG("unknown verdict on pair %s", pair->id);
}

/*
 * The row lock of store_find_live orders claims that meet a pair, the unique index of store_insert
 * those that meet none: the one that lost there finds the winner's pair in its second round.
 */
err_t rendezvous_claim(
	struct call *call, const Rendezvous__ClaimRequest *request, Rendezvous__ClaimResult *result)
{
	struct claim_pair *pair;
	const char *id = NULL;
	bool over;
	err_t err;

	if ((err = check_claim(call, request)) != OK)
		return err;
	for (int round = 0; round < 2; round++) {
		err = store_find_live(call, request->token_id, request->nonce, &pair);
		if (err != OK)
			return err;
		over = pair == NULL;
		if (pair != NULL && (err = meet(call, request, pair, result, &over)) != OK)
			return err;
		if (!over)
			return OK;
		if ((err = wait_as_first(call, request, &id)) != OK)
			return err;
		if (id != NULL)
			return answer(result, id, NULL);
	}
	return ERR_ABORTED; /* pairs come and go faster than we look: run the call again */
}

err_t rendezvous_release(
	struct call *call, const Rendezvous__ReleaseRequest *request, Rendezvous__Empty *reply)
{
	err_t err;

	(void)reply;
	if ((err = check_uuid(call, "pair", request->pair)) != OK)
		return err;
	if ((err = check_text(call, "connection", request->connection, 1, CONNECTION_MAX)) != OK)
		return err;
	return store_release(call, request->pair, request->connection, request->bytes);
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
	if ((err = publish_closed(call, request->id)) != OK)
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
		err = publish_closed(call, ended[i].id);
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
