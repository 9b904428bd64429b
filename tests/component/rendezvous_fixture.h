/*
 * rendezvous_fixture: two processes of the service and a PostgreSQL, and what a node asks of them
 * over the bus.
 */
#pragma once

#include "tests/component/service_fixture.h"

#include "proto/rendezvous.pb-c.h"

#define TENANT	     "018f0000-0000-7000-8000-0000000000aa"
#define OTHER_TENANT "018f0000-0000-7000-8000-0000000000bb"
#define TOKEN	     "018f0000-0000-7000-8000-000000000077"
#define NODE_A	     "018f0000-0000-4000-8000-00000000000a" /* alive for the length of a test */
#define NODE_B	     "018f0000-0000-4000-8000-00000000000b"
#define NODE_GONE    "018f0000-0000-4000-8000-00000000000c" /* its last heartbeat is long ago */

#define SQL(name, text) static const struct db_statement name = { text }

static struct fixture fixture;
static pid_t services[2];

SQL(reset, "WITH a AS (DELETE FROM rendezvous.pair), b AS (DELETE FROM fabric.event),"
	   " c AS (DELETE FROM rendezvous.traffic), d AS (DELETE FROM rendezvous.tunnel_server)"
	   " DELETE FROM fabric.instance WHERE id <> '" FIXTURE_SELF "'");
SQL(add_nodes, "INSERT INTO fabric.instance (id, service, url, events_url, heartbeat_at) VALUES"
	       " ('" NODE_A "', 'node', '', '', now() + interval '5 minutes'),"
	       " ('" NODE_B "', 'node', '', '', now() + interval '5 minutes'),"
	       " ('" NODE_GONE "', 'node', '', '', now() - interval '2 minutes')");

static inline void setup(void)
{
	static const char *const more[] = { "LANYARD_BUS_WORKERS=16", NULL };

	fixture_open(&fixture, "test", NULL);
	fixture_sql(&fixture, &reset);
	fixture_sql(&fixture, &add_nodes);
	for (size_t i = 0; i < ARRAY_LEN(services); i++)
		services[i] = service_start(&fixture, "rendezvous", more);
	service_await(&fixture, "rendezvous", ARRAY_LEN(services));
}

static inline void teardown(void)
{
	for (size_t i = 0; i < ARRAY_LEN(services); i++)
		service_stop(services[i]);
	fixture_close(&fixture);
}

/* ---- calls ---- */

struct claim {
	const char *nonce, *node, *connection;
	err_t err;
	char pair[40], state[16], peer_node[40], peer_connection[32];
};

static inline void take_answer(struct claim *claim, const Rendezvous__ClaimAnswer *answer)
{
	claim->err = (err_t)answer->error;
	snprintf(claim->pair, sizeof(claim->pair), "%s", answer->pair);
	snprintf(claim->state, sizeof(claim->state), "%s", answer->state);
	snprintf(claim->peer_node, sizeof(claim->peer_node), "%s", answer->peer_node);
	snprintf(claim->peer_connection, sizeof(claim->peer_connection), "%s",
		answer->peer_connection);
}

/* All in one call, of the first one's node. */
static inline void run_claims(struct claim *claims, size_t n, const char *tenant)
{
	Rendezvous__ClaimRequest request = RENDEZVOUS__CLAIM_REQUEST__INIT;
	Rendezvous__Claim items[8], *pointers[8];
	const ProtobufCMessage *reply;
	struct call call;
	err_t err;

	for (size_t i = 0; i < n; i++) {
		items[i] = (Rendezvous__Claim)RENDEZVOUS__CLAIM__INIT;
		items[i].token_id = TOKEN;
		items[i].nonce = (char *)(uintptr_t)claims[i].nonce;
		items[i].connection = (char *)(uintptr_t)claims[i].connection;
		pointers[i] = &items[i];
	}
	request.node = (char *)(uintptr_t)claims->node;
	request.claims = pointers;
	request.n_claims = n;
	err = fixture_call(&fixture, &call, tenant, &rendezvous__rendezvous__descriptor, "Claim",
		&request.base, &reply);
	for (size_t i = 0; i < n; i++) {
		claims[i].err = err;
		if (err == OK)
			take_answer(
				&claims[i], ((const Rendezvous__ClaimResult *)reply)->answers[i]);
	}
	call_finish(&call);
}

static inline void run_claim(struct claim *claim, const char *tenant)
{
	run_claims(claim, 1, tenant);
}

static inline struct claim claim_as(
	const char *tenant, const char *nonce, const char *node, const char *connection)
{
	struct claim claim = { .nonce = nonce, .node = node, .connection = connection };

	run_claim(&claim, tenant);
	return claim;
}

static inline struct claim claim_of(const char *nonce, const char *node, const char *connection)
{
	return claim_as(TENANT, nonce, node, connection);
}

static inline bool waits(const struct claim *claim)
{
	return claim->err == OK && strcmp(claim->state, "waiting") == 0 &&
	       *claim->peer_node == '\0' && *claim->peer_connection == '\0';
}

static inline bool is_joined_with(
	const struct claim *claim, const char *node, const char *connection)
{
	return claim->err == OK && strcmp(claim->state, "joined") == 0 &&
	       strcmp(claim->peer_node, node) == 0 &&
	       strcmp(claim->peer_connection, connection) == 0;
}

/* Release or Count. */
static inline err_t tell_bytes(
	const char *method, const char *pair, const char *connection, uint64_t bytes)
{
	Rendezvous__ReleaseRequest request = RENDEZVOUS__RELEASE_REQUEST__INIT;
	Rendezvous__Released released = RENDEZVOUS__RELEASED__INIT;
	const ProtobufCMessage *reply;
	struct call call;
	err_t err;

	released.pair = (char *)(uintptr_t)pair;
	released.connection = (char *)(uintptr_t)connection;
	released.bytes = bytes;
	request.released = (Rendezvous__Released *[]){ &released };
	request.n_released = 1;
	err = fixture_call(&fixture, &call, TENANT, &rendezvous__rendezvous__descriptor, method,
		&request.base, &reply);
	call_finish(&call);
	return err;
}

static inline err_t release_after(const char *pair, const char *connection, uint64_t bytes)
{
	return tell_bytes("Release", pair, connection, bytes);
}

static inline err_t release(const char *pair, const char *connection)
{
	return release_after(pair, connection, 0);
}

/* GetPair or ClosePair; `text` becomes "STATE VERSION". */
static inline err_t on_pair(
	const char *method, const char *tenant, const char *pair, int64_t version, char text[32])
{
	Rendezvous__Ref request = RENDEZVOUS__REF__INIT;
	const ProtobufCMessage *reply;
	struct call call;
	err_t err;

	request.id = (char *)(uintptr_t)pair;
	request.version = version;
	err = fixture_call(&fixture, &call, tenant, &rendezvous__rendezvous__descriptor, method,
		&request.base, &reply);
	if (err == OK)
		snprintf(text, 32, "%s %lld", ((const Rendezvous__Pair *)reply)->state,
			(long long)((const Rendezvous__Pair *)reply)->version);
	call_finish(&call);
	return err;
}

static inline size_t count_pairs(const char *tenant, const char *state)
{
	Rendezvous__ListRequest request = RENDEZVOUS__LIST_REQUEST__INIT;
	const ProtobufCMessage *reply;
	struct call call;
	size_t n;

	request.state = (char *)(uintptr_t)state;
	request.limit = 200;
	cr_assert_eq(fixture_call(&fixture, &call, tenant, &rendezvous__rendezvous__descriptor,
			     "ListPairs", &request.base, &reply),
		OK, "%s", call.fault.detail);
	n = ((const Rendezvous__PairList *)reply)->n_items;
	call_finish(&call);
	return n;
}
