/*
 * claim: rendezvous.Claim and Release.
 */
#include "dataplane/relay/claim.h"

#include "dataplane/dataplane.h"
#include "dataplane/relay/link.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "proto/rendezvous.pb-c.h"

#include <stdio.h>
#include <string.h>

#define TIMEOUT_MS 5000

struct claim {
	struct dataplane *dataplane;

	/* the question */
	char tenant[UUID_SIZE];
	char subject[64];
	char token_id[sizeof(((struct guest *)NULL)->token_id)];
	char nonce[GUEST_NONCE_MAX + 1];
	char connection[UUID_SIZE];
	uint64_t bytes; /* of a release */

	/* the answer, written by the thread of the call; the question of a release */
	err_t err;
	bool joined;
	char pair[UUID_SIZE];
	char peer_node[UUID_SIZE];
	char peer_connection[UUID_SIZE];
	char detail[sizeof(((struct fault *)NULL)->detail)];
};

#define COPY(to, from) snprintf(to, sizeof(to), "%s", from)

/* ---- in a thread of the pool ---- */

static void ask(void *arg)
{
	struct claim *claim = arg;
	Rendezvous__ClaimRequest request = RENDEZVOUS__CLAIM_REQUEST__INIT;
	const ProtobufCMessage *reply;
	struct call call;

	call_init(&call, claim->dataplane->bus, claim->subject, TIMEOUT_MS);
	call.tenant = claim->tenant;
	request.token_id = claim->token_id;
	request.nonce = claim->nonce;
	request.node = (char *)claim->dataplane->instance;
	request.connection = claim->connection;
	claim->err = bus_call(
		&call, &rendezvous__rendezvous__descriptor, "Claim", &request.base, &reply);
	if (claim->err == OK) {
		const Rendezvous__ClaimResult *result = (const Rendezvous__ClaimResult *)reply;

		claim->joined = strcmp(result->state, "joined") == 0;
		COPY(claim->pair, result->pair);
		COPY(claim->peer_node, result->peer_node);
		COPY(claim->peer_connection, result->peer_connection);
	}
	COPY(claim->detail, call.fault.detail);
	call_finish(&call);
}

static void tell_released(void *arg)
{
	struct claim *claim = arg;
	Rendezvous__ReleaseRequest request = RENDEZVOUS__RELEASE_REQUEST__INIT;
	const ProtobufCMessage *reply;
	struct call call;

	call_init(&call, claim->dataplane->bus, DATAPLANE_ACTOR, TIMEOUT_MS);
	call.tenant = claim->tenant;
	request.pair = claim->pair;
	request.connection = claim->connection;
	request.bytes = claim->bytes;
	claim->err = bus_call(
		&call, &rendezvous__rendezvous__descriptor, "Release", &request.base, &reply);
	if (claim->err != OK) /* rendezvous finds out by itself, later */
		LOG_THROTTLED(LOG_LEVEL_WARN, "release_failed", "pair=%s error=%s detail=%s",
			claim->pair, err_name(claim->err), log_value(call.fault.detail));
	call_finish(&call);
}

/* ---- on the loop ---- */

static void take_answer(struct guest *guest, const struct claim *claim)
{
	struct dataplane *dataplane = claim->dataplane;

	if (claim->err != OK) {
		if (claim->err == ERR_UNAVAILABLE || claim->err == ERR_DEADLINE_EXCEEDED)
			LOG_THROTTLED(LOG_LEVEL_WARN, "claim_failed", "error=%s detail=%s",
				err_name(claim->err), log_value(claim->detail));
		guest_refuse(guest, claim->err, claim->detail);
	} else if (!claim->joined) {
		guest_wait(guest, claim->pair);
	} else if (strcmp(claim->peer_node, dataplane->instance) == 0) {
		guest_meet_here(guest, claim->pair, claim->peer_connection);
	} else {
		link_open(dataplane, guest, claim->pair, claim->peer_node, claim->peer_connection);
	}
}

static void on_asked(void *arg)
{
	struct claim *claim = arg;
	struct dataplane *dataplane = claim->dataplane;
	struct guest *guest = guest_find(dataplane->guests, claim->connection);

	dataplane->n_waiting--;
	if (guest)
		take_answer(guest, claim);
	else if (claim->err == OK)
		claim_release(dataplane, claim->tenant, claim->pair, claim->connection, 0);
	free(claim);
}

static void on_released(void *arg)
{
	free(arg);
}

void claim_make(struct dataplane *dataplane, const struct guest *guest)
{
	struct claim *claim = xcalloc(1, sizeof(*claim));

	claim->dataplane = dataplane;
	COPY(claim->tenant, guest->tenant);
	COPY(claim->subject, guest->subject);
	COPY(claim->token_id, guest->token_id);
	COPY(claim->nonce, guest->nonce);
	COPY(claim->connection, guest->relay.end.id);
	dataplane->n_waiting++;
	loop_work(dataplane->loop, ask, on_asked, claim);
}

void claim_release(struct dataplane *dataplane, const char *tenant, const char *pair,
	const char *connection, uint64_t bytes)
{
	struct claim *claim = xcalloc(1, sizeof(*claim));

	claim->dataplane = dataplane;
	claim->bytes = bytes;
	COPY(claim->tenant, tenant);
	COPY(claim->pair, pair);
	COPY(claim->connection, connection);
	loop_work(dataplane->loop, tell_released, on_released, claim);
}
