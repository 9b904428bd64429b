/*
 * claim: rendezvous.Claim, Release and Count. Of each kind one call at a time is under way for a
 * tenant; what comes up meanwhile goes with the next one, so that a crowd costs few calls and a
 * single client does not wait.
 */
#include "dataplane/relay/claim.h"

#include "dataplane/copy.h"
#include "dataplane/dataplane.h"
#include "dataplane/relay/link.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "proto/rendezvous.pb-c.h"

#include <stdio.h>
#include <string.h>

#define TIMEOUT_MS 5000
#define BATCH_MAX  256 /* as rendezvous.proto has it */

struct claim {
	struct claim *next; /* desk.first, or its batch */

	/* the question */
	char token_id[sizeof(((struct guest *)NULL)->token_id)];
	char nonce[GUEST_NONCE_MAX + 1];
	char connection[UUID_SIZE];
	uint64_t bytes; /* to be released or counted */

	/* the answer, written by the thread of the call; of the others the question */
	err_t err;
	bool joined;
	char pair[UUID_SIZE];
	char peer_node[UUID_SIZE];
	char peer_connection[UUID_SIZE];
	char detail[sizeof(((struct fault *)NULL)->detail)];
};

struct kind;

/* Where what is of one kind waits for its call, of a tenant. */
struct desk {
	struct dataplane *dataplane;
	const struct kind *kind;
	char key[1 + UUID_SIZE]; /* the kind's letter and the tenant */
	struct claim *first, **end;
	struct claim *batch; /* under way; of the call's thread until it is done */
	size_t n_batch;
	UT_hash_handle hh; /* dataplane.desks */
};

struct kind {
	char letter;
	void (*ask)(void *arg); /* in a thread of the pool */
	const char *method;	/* of ask_release */
	/* On the loop, for each; or NULL. */
	void (*done)(struct desk *desk, struct claim *claim);
};

static const char *tenant_of(const struct desk *desk)
{
	return desk->key + 1;
}

/* ---- in a thread of the pool ---- */

static void fail_all(struct desk *desk, err_t err, const char *detail)
{
	for (struct claim *claim = desk->batch; claim; claim = claim->next) {
		claim->err = err;
		COPY(claim->detail, detail);
	}
}

static void take(struct claim *claim, const Rendezvous__ClaimAnswer *answer)
{
	claim->err = answer->error <= ERR_LAST ? (err_t)answer->error : ERR_UNKNOWN;
	claim->joined = strcmp(answer->state, "joined") == 0;
	COPY(claim->pair, answer->pair);
	COPY(claim->peer_node, answer->peer_node);
	COPY(claim->peer_connection, answer->peer_connection);
	COPY(claim->detail, answer->detail);
}

static err_t call_claim(struct desk *desk, struct call *call)
{
	Rendezvous__ClaimRequest request = RENDEZVOUS__CLAIM_REQUEST__INIT;
	const Rendezvous__ClaimResult *result;
	const ProtobufCMessage *reply;
	size_t n = 0;
	err_t err;

	request.node = (char *)(uintptr_t)desk->dataplane->instance;
	request.claims = arena_alloc(call->arena, desk->n_batch * sizeof(*request.claims));
	for (struct claim *claim = desk->batch; claim; claim = claim->next) {
		Rendezvous__Claim *one = arena_alloc(call->arena, sizeof(*one));

		rendezvous__claim__init(one);
		one->token_id = claim->token_id;
		one->nonce = claim->nonce;
		one->connection = claim->connection;
		request.claims[request.n_claims++] = one;
	}
	err = bus_call(call, &rendezvous__rendezvous__descriptor, "Claim", &request.base, &reply);
	if (err != OK)
		return err;
	result = (const Rendezvous__ClaimResult *)reply;
	if (result->n_answers != desk->n_batch)
		return call_refuse(call, ERR_INTERNAL, "answers", "not one answer for each claim");
	for (struct claim *claim = desk->batch; claim; claim = claim->next)
		take(claim, result->answers[n++]);
	return OK;
}

static void ask_claim(void *arg)
{
	struct desk *desk = arg;
	struct call call;
	err_t err;

	call_init(&call, desk->dataplane->bus, DATAPLANE_ACTOR, TIMEOUT_MS);
	call.tenant = tenant_of(desk);
	if ((err = call_claim(desk, &call)) != OK) {
		LOG_THROTTLED(LOG_LEVEL_WARN, "claims_failed", "error=%s claims=%zu detail=%s",
			err_name(err), desk->n_batch, log_value(call.fault.detail));
		fail_all(desk, err, call.fault.detail);
	}
	call_finish(&call);
}

static void ask_release(void *arg)
{
	struct desk *desk = arg;
	Rendezvous__ReleaseRequest request = RENDEZVOUS__RELEASE_REQUEST__INIT;
	const ProtobufCMessage *reply;
	struct call call;
	err_t err;

	call_init(&call, desk->dataplane->bus, DATAPLANE_ACTOR, TIMEOUT_MS);
	call.tenant = tenant_of(desk);
	request.released = arena_alloc(call.arena, desk->n_batch * sizeof(*request.released));
	for (struct claim *claim = desk->batch; claim; claim = claim->next) {
		Rendezvous__Released *one = arena_alloc(call.arena, sizeof(*one));

		rendezvous__released__init(one);
		one->pair = claim->pair;
		one->connection = claim->connection;
		one->bytes = claim->bytes;
		request.released[request.n_released++] = one;
	}
	err = bus_call(&call, &rendezvous__rendezvous__descriptor, desk->kind->method,
		&request.base, &reply);
	if (err != OK) /* rendezvous finds out by itself who is gone, and is told the bytes again */
		LOG_THROTTLED(LOG_LEVEL_WARN, "releases_failed",
			"method=%s error=%s pairs=%zu detail=%s", desk->kind->method, err_name(err),
			desk->n_batch, log_value(call.fault.detail));
	call_finish(&call);
}

/* ---- on the loop: answers ---- */

static void take_answer(struct dataplane *dataplane, struct guest *guest, const struct claim *claim)
{
	if (claim->err != OK)
		guest_refuse(guest, claim->err, claim->detail);
	else if (!claim->joined)
		guest_wait(guest, claim->pair);
	else if (strcmp(claim->peer_node, dataplane->instance) == 0)
		guest_meet_here(guest, claim->pair, claim->peer_connection);
	else
		link_open(dataplane, guest, claim->pair, claim->peer_node, claim->peer_connection);
}

static void claim_done(struct desk *desk, struct claim *claim)
{
	struct guest *guest = guest_find(desk->dataplane->guests, claim->connection);

	if (guest)
		take_answer(desk->dataplane, guest, claim);
	else if (claim->err == OK)
		claim_release(desk->dataplane, tenant_of(desk), claim->pair, claim->connection, 0);
}

static const struct kind claiming = { 'c', ask_claim, "Claim", claim_done };
static const struct kind releasing = { 'r', ask_release, "Release", NULL };
static const struct kind counting = { 'b', ask_release, "Count", NULL };

/* ---- on the loop: desks ---- */

static void on_asked(void *arg);

static void start(struct desk *desk)
{
	struct claim **slot = &desk->first;

	desk->n_batch = 0;
	while (*slot && desk->n_batch < BATCH_MAX) {
		slot = &(*slot)->next;
		desk->n_batch++;
	}
	desk->batch = desk->first;
	desk->first = *slot;
	*slot = NULL;
	if (!desk->first)
		desk->end = &desk->first;
	loop_work(desk->dataplane->loop, desk->kind->ask, on_asked, desk);
}

static void on_asked(void *arg)
{
	struct desk *desk = arg;
	struct claim *claim, *next;

	for (claim = desk->batch; claim; claim = next) {
		next = claim->next;
		if (desk->kind->done)
			desk->kind->done(desk, claim);
		free(claim);
	}
	desk->batch = NULL;
	if (desk->first) {
		start(desk);
		return;
	}
	HASH_DELETE(hh, desk->dataplane->desks, desk);
	free(desk);
}

static struct desk *desk_of(
	struct dataplane *dataplane, const struct kind *kind, const char *tenant)
{
	char key[sizeof(((struct desk *)NULL)->key)];
	struct desk *desk;

	snprintf(key, sizeof(key), "%c%s", kind->letter, tenant);
	HASH_FIND_STR(dataplane->desks, key, desk);
	if (desk)
		return desk;
	desk = xcalloc(1, sizeof(*desk));
	desk->dataplane = dataplane;
	desk->kind = kind;
	desk->end = &desk->first;
	COPY(desk->key, key);
	HASH_ADD_STR(dataplane->desks, key, desk);
	return desk;
}

static void bring(struct desk *desk, struct claim *claim)
{
	*desk->end = claim;
	desk->end = &claim->next;
	if (!desk->batch)
		start(desk);
}

void claim_make(struct dataplane *dataplane, const struct guest *guest)
{
	struct claim *claim = xcalloc(1, sizeof(*claim));

	COPY(claim->token_id, guest->token_id);
	COPY(claim->nonce, guest->nonce);
	COPY(claim->connection, guest->relay.end.id);
	bring(desk_of(dataplane, &claiming, guest->tenant), claim);
}

static void tell(struct desk *desk, const char *pair, const char *connection, uint64_t bytes)
{
	struct claim *claim = xcalloc(1, sizeof(*claim));

	claim->bytes = bytes;
	COPY(claim->pair, pair);
	COPY(claim->connection, connection);
	bring(desk, claim);
}

void claim_release(struct dataplane *dataplane, const char *tenant, const char *pair,
	const char *connection, uint64_t bytes)
{
	tell(desk_of(dataplane, &releasing, tenant), pair, connection, bytes);
}

void claim_count(struct dataplane *dataplane, const char *tenant, const char *pair,
	const char *connection, uint64_t bytes)
{
	tell(desk_of(dataplane, &counting, tenant), pair, connection, bytes);
}
