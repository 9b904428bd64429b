/* ask: see ask.h. */
#include "dataplane/trunk/ask.h"

#include "dataplane/copy.h"
#include "dataplane/dataplane.h"
#include "lib/clock.h"
#include "lib/mem.h"
#include "proto/home.pb-c.h"

#define TIMEOUT_MS 3000
#define CLAIMS_MAX 512 /* in one call */

struct ask *ask_create(struct dataplane *dataplane, enum ask_kind kind, size_t n,
	void (*done)(void *context, const struct ask *ask), void *context)
{
	struct ask *ask = xcalloc(1, sizeof(*ask));

	ask->dataplane = dataplane;
	ask->kind = kind;
	ask->done = done;
	ask->context = context;
	ask->claims = xcalloc(n, sizeof(*ask->claims));
	ask->homes = xcalloc(n, sizeof(*ask->homes));
	return ask;
}

struct ask_claim *ask_add(struct ask *ask, const char *tenant, const char *network)
{
	struct ask_claim *claim = &ask->claims[ask->n_claims++];

	COPY(claim->tenant, tenant);
	COPY(claim->network, network);
	return claim;
}

/* The lease ends by our clock, counted from before we asked. */
static void keep(struct ask *ask, const Provision__Home *item, int64_t asked_ms)
{
	struct home *home = &ask->homes[ask->n_homes++];

	COPY(home->tenant, item->tenant);
	COPY(home->network, item->network);
	COPY(home->node, item->node);
	COPY(home->name, item->name);
	COPY(home->before, item->before);
	home->epoch = item->epoch;
	home->until_ms = asked_ms + item->left_ms;
}

static err_t hold(struct ask *ask, struct call *call, struct ask_claim *claims, size_t n,
	const ProtobufCMessage **reply)
{
	Provision__HoldHomesRequest request = PROVISION__HOLD_HOMES_REQUEST__INIT;
	Provision__HomeClaim **items = arena_alloc(call->arena, n * sizeof(*items));

	for (size_t i = 0; i < n; i++) {
		items[i] = arena_alloc(call->arena, sizeof(*items[i]));
		provision__home_claim__init(items[i]);
		items[i]->tenant = claims[i].tenant;
		items[i]->network = claims[i].network;
		items[i]->unreachable = claims[i].unreachable;
	}
	request.node = (char *)(uintptr_t)ask->dataplane->instance;
	request.name = (char *)(uintptr_t)ask->dataplane->node_name;
	request.look = ask->kind == ASK_LOOK;
	request.n_claims = n;
	request.claims = items;
	return bus_call(call, &provision__homes__descriptor, "HoldHomes", &request.base, reply);
}

static err_t hand_over(struct ask *ask, struct call *call, struct ask_claim *claims, size_t n,
	const ProtobufCMessage **reply)
{
	Provision__HandOverHomesRequest request = PROVISION__HAND_OVER_HOMES_REQUEST__INIT;
	Provision__HandOver **items = arena_alloc(call->arena, n * sizeof(*items));

	for (size_t i = 0; i < n; i++) {
		items[i] = arena_alloc(call->arena, sizeof(*items[i]));
		provision__hand_over__init(items[i]);
		items[i]->tenant = claims[i].tenant;
		items[i]->network = claims[i].network;
		items[i]->to = claims[i].heir;
		items[i]->to_name = claims[i].heir_name;
	}
	request.node = (char *)(uintptr_t)ask->dataplane->instance;
	request.n_items = n;
	request.items = items;
	return bus_call(call, &provision__homes__descriptor, "HandOverHomes", &request.base, reply);
}

static err_t ask_some(struct ask *ask, struct call *call, struct ask_claim *claims, size_t n)
{
	int64_t asked_ms = clock_ms();
	const ProtobufCMessage *reply;
	const Provision__HomeList *list;
	err_t err = ask->kind == ASK_HAND_OVER ? hand_over(ask, call, claims, n, &reply)
					       : hold(ask, call, claims, n, &reply);

	if (err != OK)
		return err;
	list = (const Provision__HomeList *)reply;
	for (size_t i = 0; i < list->n_items && ask->n_homes < ask->n_claims; i++)
		keep(ask, list->items[i], asked_ms);
	return OK;
}

static void run(void *arg)
{
	struct ask *ask = arg;
	struct call call;

	for (size_t at = 0; at < ask->n_claims && ask->err == OK; at += CLAIMS_MAX) {
		size_t n = ask->n_claims - at < CLAIMS_MAX ? ask->n_claims - at : CLAIMS_MAX;

		call_init(&call, ask->dataplane->bus, DATAPLANE_ACTOR, TIMEOUT_MS);
		call.tenant = CALL_FLEET;
		ask->err = ask_some(ask, &call, ask->claims + at, n);
		COPY(ask->detail, call.fault.detail);
		call_finish(&call);
	}
}

static void on_done(void *arg)
{
	struct ask *ask = arg;

	ask->done(ask->context, ask);
	free(ask->claims);
	free(ask->homes);
	free(ask);
}

void ask_send(struct ask *ask)
{
	ask->begun_ms = clock_ms();
	loop_work(ask->dataplane->loop, run, on_done, ask);
}
