/* trunks: see trunks.h. */
#include "dataplane/trunk/trunks.h"

#include "dataplane/dataplane.h"
#include "dataplane/relay/link.h"
#include "dataplane/trunk/ask.h"
#include "dataplane/trunk/edge.h"
#include "dataplane/trunk/places.h"
#include "dataplane/trunk/seat.h"
#include "dataplane/trunk/trunk_set.h"
#include "lib/call.h"
#include "lib/check.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"

#include <sodium.h>

#include <stdio.h>
#include <string.h>

#define SECOND_MS    1000
#define DEAD_MS	     6000 /* without a word; each node says one a second */
#define EXPECT_MS    10000
#define DIGEST_TICKS 5
#define SEEN_TICKS   60
#define EDGES_MAX    64 /* that meet each other */

static struct trunk *find(struct trunks *trunks, const char *node)
{
	struct trunk *trunk;

	HASH_FIND_STR(trunks->by_node, node, trunk);
	return trunk;
}

static struct trunk *get(struct trunks *trunks, const char *node)
{
	struct trunk *trunk = find(trunks, node);

	if (trunk)
		return trunk;
	trunk = xcalloc(1, sizeof(*trunk));
	trunk->trunks = trunks;
	snprintf(trunk->node, sizeof(trunk->node), "%s", node);
	edge_init(trunk);
	HASH_ADD_STR(trunks->by_node, node, trunk);
	return trunk;
}

/* ---- connecting ---- */

static void on_linked(struct dataplane *dataplane, const char *node, struct relay_end *far)
{
	struct trunks *trunks = dataplane->trunks;
	struct trunk *trunk = find(trunks, node);

	if (!trunk || trunk->state != TRUNK_CONNECTING || trunks->closing) {
		if (far)
			trunk_drop_end(far);
	} else if (far) {
		trunk_begin(trunk, far);
	} else {
		trunk->state = TRUNK_IDLE;
		places_trunk_lost(trunks->places, node);
	}
}

struct trunk *trunk_want(struct trunks *trunks, const char *node)
{
	struct trunk *trunk = get(trunks, node);
	struct dataplane *dataplane = trunks->dataplane;

	if (trunk->state == TRUNK_OPEN)
		return trunk;
	if (trunk->state == TRUNK_CONNECTING || trunks->closing)
		return NULL;
	trunk->state = TRUNK_CONNECTING;
	trunk->since_ms = clock_ms();
	link_open_server(dataplane,
		&(struct link_request){ .tenant = CALL_FLEET,
			.node = node,
			.peer = "",
			.connection = node,
			.pair = "",
			.name = "",
			.uuid = "",
			.address = "",
			.trunk = dataplane->instance },
		on_linked);
	return NULL;
}

bool trunk_is_open(const struct trunk *trunk)
{
	return trunk->state == TRUNK_OPEN;
}

/* Of two that ask each other at the same time, the one with the smaller id connects. */
err_t trunks_expect(struct trunks *trunks, struct call *call, const char *node)
{
	struct trunk *trunk;
	err_t err = check_uuid(call, "trunk", node);

	if (err != OK)
		return err;
	trunk = get(trunks, node);
	if (trunk->state == TRUNK_CONNECTING && strcmp(trunks->dataplane->instance, node) < 0)
		return call_refuse(
			call, ERR_ALREADY_EXISTS, "trunk", "it is being connected to already");
	if (trunk->state == TRUNK_IDLE) {
		trunk->state = TRUNK_CONNECTING;
		trunk->since_ms = clock_ms();
	}
	return OK;
}

/* The one before is void: the other node would not have asked if it had it. */
void trunks_take(struct trunks *trunks, const char *node, struct relay_end *far)
{
	struct trunk *trunk = get(trunks, node);

	if (trunks->closing) {
		trunk_drop_end(far);
		return;
	}
	trunk_break(trunk, "the other node has connected again");
	trunk_begin(trunk, far);
}

/* ---- time ---- */

static void on_turn_end(uv_check_t *check)
{
	struct trunks *trunks = check->data;

	uv_check_stop(check);
	for (struct trunk *trunk = trunks->by_node; trunk; trunk = trunk->hh.next)
		if (trunk->dirty)
			trunk_flush(trunk);
}

void trunks_flush_soon(struct trunks *trunks)
{
	uv_check_start(&trunks->flusher, on_turn_end);
}

/* A sign of life, and to an edge who the other ones are. */
static void tell_edges(struct trunk *trunk)
{
	Trunk__Edges message = TRUNK__EDGES__INIT;
	char *nodes[EDGES_MAX];

	message.nodes = nodes;
	for (struct trunk *other = trunk->trunks->by_node; other; other = other->hh.next)
		if (trunk->seats && other->seats && other != trunk && message.n_nodes < EDGES_MAX)
			nodes[message.n_nodes++] = other->node;
	TRUNK_SEND(trunk, EDGES, edges, &message);
}

void trunks_meet(struct trunks *trunks, const Trunk__Edges *message)
{
	for (size_t i = 0; i < message->n_nodes && i < EDGES_MAX; i++)
		if (check_is_uuid(message->nodes[i]) &&
			strcmp(message->nodes[i], trunks->dataplane->instance) != 0)
			trunk_want(trunks, message->nodes[i]);
}

static void tick(struct trunk *trunk, unsigned n, int64_t now_ms)
{
	if (trunk->state == TRUNK_CONNECTING && now_ms - trunk->since_ms > EXPECT_MS) {
		trunk->state = TRUNK_IDLE; /* who asked did not come */
		places_trunk_lost(trunk->trunks->places, trunk->node);
	}
	if (trunk->state != TRUNK_OPEN)
		return;
	if (now_ms - trunk->heard_ms > DEAD_MS) {
		trunk_break(trunk, "nothing was heard from it");
		return;
	}
	tell_edges(trunk);
	seats_tell_drops(trunk);
	if (trunk->seats && n % DIGEST_TICKS == 0)
		seats_tell_digest(trunk);
	if (trunk->carried && n % SEEN_TICKS == 0)
		edge_tell_seen(trunk, now_ms - (SEEN_TICKS + 1) * SECOND_MS);
}

/* Of nodes that are no more nothing is kept. */
static void forget_idle(struct trunks *trunks)
{
	struct trunk *trunk, *next;

	HASH_ITER(hh, trunks->by_node, trunk, next)
	if (trunk->state == TRUNK_IDLE && !trunk->carried && !trunk->seats) {
		HASH_DELETE(hh, trunks->by_node, trunk);
		free(trunk);
	}
}

static void on_second(uv_timer_t *timer)
{
	struct trunks *trunks = timer->data;
	int64_t now_ms = clock_ms();

	trunks->n_ticks++;
	for (struct trunk *trunk = trunks->by_node; trunk; trunk = trunk->hh.next)
		tick(trunk, trunks->n_ticks, now_ms);
	forget_idle(trunks);
	places_tick(trunks->places);
}

/* ---- life ---- */

static void on_session(void *context, const char *tenant, const char *network, int by)
{
	struct trunks *trunks = context;

	places_session(trunks->places, tenant, network, by);
}

struct trunks *trunks_open(struct dataplane *dataplane)
{
	struct trunks *trunks = xcalloc(1, sizeof(*trunks));

	trunks->dataplane = dataplane;
	trunks->places = places_create(trunks);
	randombytes_buf(&trunks->seed, sizeof(trunks->seed));
	uv_timer_init(loop_uv(dataplane->loop), &trunks->timer);
	trunks->timer.data = trunks;
	uv_timer_start(&trunks->timer, on_second, SECOND_MS, SECOND_MS);
	uv_check_init(loop_uv(dataplane->loop), &trunks->flusher);
	trunks->flusher.data = trunks;
	sessions_watch(dataplane->sessions, on_session, trunks);
	return trunks;
}

/* A node that is alone has all homes. */
bool trunks_await_home(
	struct trunks *trunks, const char *tenant, const char *network, struct home_wait *wait)
{
	return !trunks->closing && bus_count(trunks->dataplane->bus, "dataplane") > 1 &&
	       places_await(trunks->places, tenant, network, wait);
}

const char *trunks_find_home(const struct trunks *trunks, const char *tenant, const char *network)
{
	const char *name = places_find_home(trunks->places, tenant, network);

	return name && trunks_name_good(name) ? name : NULL;
}

bool trunks_name_good(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789.-_";
	size_t len = strlen(name);

	return len > 0 && len < HOME_NAME_SIZE && strspn(name, allowed) == len;
}

void trunks_drain(struct trunks *trunks)
{
	places_drain(trunks->places);
}

bool trunks_drained(const struct trunks *trunks)
{
	return places_handed_over(trunks->places);
}

void trunks_close(struct trunks *trunks)
{
	if (!trunks)
		return;
	trunks->closing = true;
	for (struct trunk *trunk = trunks->by_node; trunk; trunk = trunk->hh.next)
		trunk_break(trunk, "this node stops");
	uv_close((uv_handle_t *)&trunks->timer, NULL);
	uv_close((uv_handle_t *)&trunks->flusher, NULL);
}

void trunks_destroy(struct trunks *trunks)
{
	struct trunk *trunk, *next;

	if (!trunks)
		return;
	HASH_ITER(hh, trunks->by_node, trunk, next)
	{
		HASH_DELETE(hh, trunks->by_node, trunk);
		free(trunk);
	}
	places_destroy(trunks->places);
	free(trunks);
}
