/*
 * claim: rendezvous.Claim and Release.
 */
#include "dataplane/relay/claim.h"

#include "dataplane/dataplane.h"
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
	char token_id[UUID_SIZE];
	char nonce[RELAY_NONCE_MAX + 1];
	char connection[UUID_SIZE];

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
	claim->err = bus_call(
		&call, &rendezvous__rendezvous__descriptor, "Release", &request.base, &reply);
	if (claim->err != OK) /* rendezvous finds out by itself, later */
		LOG_THROTTLED(LOG_LEVEL_WARN, "release_failed", "pair=%s error=%s detail=%s",
			claim->pair, err_name(claim->err), log_value(call.fault.detail));
	call_finish(&call);
}

/* ---- on the loop ---- */

static void refuse(struct relay_end *end, const struct claim *claim)
{
	char reason[96];

	switch (claim->err) {
	case OK: /* joined with a connection of another node */
		snprintf(reason, sizeof(reason), "the other end is on node %s", claim->peer_node);
		relay_refuse(end, claim->pair, WS_STATUS_TRY_LATER, reason);
		break;
	case ERR_ALREADY_EXISTS:
	case ERR_INVALID_ARGUMENT:
	case ERR_PERMISSION_DENIED:
	case ERR_FAILED_PRECONDITION:
		relay_refuse(end, "", WS_STATUS_POLICY, claim->detail);
		break;
	default:
		LOG_THROTTLED(LOG_LEVEL_WARN, "claim_failed", "error=%s detail=%s",
			err_name(claim->err), log_value(claim->detail));
		relay_refuse(end, "", WS_STATUS_TRY_LATER, "no pair can be made just now");
	}
}

static void on_asked(void *arg)
{
	struct claim *claim = arg;
	struct dataplane *dataplane = claim->dataplane;
	struct relay_end *end = relay_find(dataplane->relays, claim->connection);

	dataplane->n_waiting--;
	if (!end && claim->err == OK)
		claim_release(dataplane, claim->tenant, claim->pair, claim->connection);
	else if (end && claim->err == OK && !claim->joined)
		relay_wait(end, claim->pair);
	else if (end && claim->err == OK && strcmp(claim->peer_node, dataplane->instance) == 0)
		relay_join(end, claim->pair, claim->peer_connection);
	else if (end)
		refuse(end, claim);
	free(claim);
}

static void on_released(void *arg)
{
	free(arg);
}

void claim_make(void *context, struct relay_end *end)
{
	struct dataplane *dataplane = context;
	struct claim *claim = xcalloc(1, sizeof(*claim));
	struct relay_claim about;

	relay_describe(end, &about);
	claim->dataplane = dataplane;
	COPY(claim->tenant, about.tenant);
	COPY(claim->subject, about.subject);
	COPY(claim->token_id, about.token_id);
	COPY(claim->nonce, about.nonce);
	COPY(claim->connection, about.connection);
	dataplane->n_waiting++;
	loop_work(dataplane->loop, ask, on_asked, claim);
}

void claim_release(void *context, const char *tenant, const char *pair, const char *connection)
{
	struct dataplane *dataplane = context;
	struct claim *claim = xcalloc(1, sizeof(*claim));

	claim->dataplane = dataplane;
	COPY(claim->tenant, tenant);
	COPY(claim->pair, pair);
	COPY(claim->connection, connection);
	loop_work(dataplane->loop, tell_released, on_released, claim);
}
