/*
 * soak_node: a node for a day that passes as fast as the test turns the clock: what clock_gettime
 * tells, to libuv too, is the real time and what the test has added. It admits members by tokens
 * that a fleet would give them, and has the events that a fleet would send.
 */
#pragma once

#include "tests/unit/dataplane/net/net_fixture.h"

#include "dataplane/admit/admit.h"
#include "dataplane/dataplane.h"
#include "lib/frames/fair.h"
#include "lib/log.h"

#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>

enum { MEMBERS = 12, MAC_LIMIT = 40, TOKEN_S = 600 };

#define BRIDGE	0 /* the member that is one */
#define TENANT	"018f0000-0000-7000-8000-0000000000aa"
#define NETWORK "018f0000-0000-7000-8000-000000000001"

static int64_t turned_ms; /* by which the clock is ahead */

/* In the place of libc's, for the node and for libuv. */
int clock_gettime(clockid_t id, struct timespec *time)
{
	int result = (int)syscall(SYS_clock_gettime, id, time);

	time->tv_sec += turned_ms / 1000;
	time->tv_nsec += turned_ms % 1000 * 1000000;
	if (time->tv_nsec >= 1000000000) {
		time->tv_nsec -= 1000000000;
		time->tv_sec++;
	}
	return result;
}

/* ---- chance ---- */

static uint64_t random_state;

/* Always the same day, or that of LANYARD_SOAK_SEED. */
static void random_begin(void)
{
	const char *seed = getenv("LANYARD_SOAK_SEED");

	random_state = seed ? strtoull(seed, NULL, 10) : 7;
	fprintf(stderr, "LANYARD_SOAK_SEED=%llu\n", (unsigned long long)random_state);
}

static uint32_t chance(uint32_t n)
{
	random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(random_state >> 33) % n;
}

/* ---- the node ---- */

static struct dataplane node;
static char *signing_key;
static int64_t policies[MEMBERS]; /* versions */

static int64_t now_s(void)
{
	return clock_unix_ms() / 1000;
}

static void rotate_keys(void)
{
	char *public_jwk, *set;
	struct token_keys *keys;

	free(signing_key);
	cr_assert_eq(token_key_generate("key", &signing_key, &public_jwk), OK);
	set = xasprintf("{\"keys\":[%s]}", public_jwk);
	cr_assert_eq(token_keys_create(&keys, set), OK);
	verifier_set_keys(node.verifier, keys);
	free(set);
	free(public_jwk);
}

static void member_id(int member, char id[UUID_SIZE])
{
	snprintf(id, UUID_SIZE, "028f0000-0000-7000-8000-%012d",
		member); /* never the id of the network */
}

/* A token of the member's, malloc'ed, issued now or so many seconds ago. */
static char *member_token(int member, int64_t age_s)
{
	struct token_claims claims = { .id = "018f0000-0000-7000-8000-0000000000cc",
		.tenant = TENANT,
		.network = NETWORK,
		.role = "device",
		.scopes = { "network:attach" },
		.n_scopes = 1,
		.mac_limit = MAC_LIMIT,
		.bridge = member == BRIDGE,
		.policy_version = policies[member],
		.issued_at = now_s() - age_s,
		.expires_at = now_s() - age_s + TOKEN_S };
	char *token;

	member_id(member, claims.member);
	snprintf(claims.subject, sizeof(claims.subject), "device:%s", claims.member);
	snprintf(claims.mac, sizeof(claims.mac), "02:00:00:00:00:%02x", member);
	cr_assert_eq(token_sign(signing_key, "lanyard", &claims, &token), OK);
	return token;
}

/* What provision and auth tell of a member at times. */
static void have_event(int member)
{
	char id[UUID_SIZE], subject[64];

	member_id(member, id);
	snprintf(subject, sizeof(subject), "device:%s", id);
	switch (chance(3)) {
	case 0: /* a new policy */
		policies[member]++;
		verifier_renew(node.verifier, id, policies[member], now_s());
		sessions_renew_member(node.sessions, id, policies[member]);
		break;
	case 1: /* all its tokens are revoked */
		verifier_revoke(node.verifier, subject, now_s(), now_s());
		sessions_end_subject(node.sessions, subject, now_s());
		break;
	default: /* an operator ends its session */
		sessions_end_member(node.sessions, id);
	}
}

static void node_begin(void)
{
	log_open("soak", LOG_LEVEL_ERROR);
	net_setup();
	node = (struct dataplane){ .verifier = verifier_create("lanyard"),
		.sessions = sessions_create(),
		.refused = refused_create() };
	rotate_keys();
}

static void node_end(void)
{
	net_teardown();
	sessions_destroy(node.sessions);
	verifier_destroy(node.verifier);
	refused_destroy(node.refused);
	free(signing_key);
	packet_trim();
	fair_trim();
}

/* Lets the time pass, in steps that timers of any kind see. */
static void pass(int64_t ms)
{
	while (ms > 0) {
		int64_t step = ms < 1000 ? ms : 1000;

		turned_ms += step;
		ms -= step;
		uv_run(&net_loop, UV_RUN_NOWAIT);
	}
	for (int i = 0; i < 4; i++)
		uv_run(&net_loop, UV_RUN_NOWAIT);
}

/* Live sessions, none of which knows more stations than its limit. */
static size_t count_sessions(uint32_t max_stations)
{
	Dataplane__ListSessionsRequest request = DATAPLANE__LIST_SESSIONS_REQUEST__INIT;
	Dataplane__SessionList list = DATAPLANE__SESSION_LIST__INIT;
	AUTO_ARENA arena = arena_create();

	sessions_list(node.sessions, TENANT, "node", &request, arena, &list);
	for (size_t i = 0; i < list.n_items; i++)
		cr_assert_leq(list.items[i]->stations, max_stations);
	return list.n_items;
}
