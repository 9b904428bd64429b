/*
 * store_peer: the SQL of WireGuard's servers and peers, on the tables of
 * db/migrations/0036_wireguard.sql; as services/provision/store.h.
 */
#pragma once

#include "lib/call.h"
#include "lib/db.h"
#include "proto/wireguard.pb-c.h"

#include <stdbool.h>
#include <stdint.h>

/* ---- one more ---- */

struct store_peer_server {
	const char *id; /* NULL: none is up */
	const char *host, *public_key;
	uint32_t port;
	bool is_full;
};

/* The server of the profile that is up and has the fewest peers. */
err_t store_peer_server(
	struct call *call, const char *profile, struct store_peer_server *server) MUST_CHECK;

struct store_peer {
	const char *server, *network, *user, *authorization;
	const char *profile_id; /* its name */
	const char *public_key;
	int64_t expires_at; /* Unix time */
};

/* Where it is: addresses with the prefix length of the network, and the ranges of that. */
struct store_peer_place {
	const char *id;
	const char *ipv4, *ipv6, *ipv4_range, *ipv6_range; /* "": none */
	uint32_t mtu;
};

/* Gives it the number that the authorization had in the network last, if that is free, or another.
 * RESOURCE_EXHAUSTED (network), INVALID_ARGUMENT (public_key: another user's peer has it). */
err_t store_peer_add(struct call *call, const struct store_peer *peer,
	struct store_peer_place *place) MUST_CHECK;

/* Does the server let the authorization's peer in? False also without such a peer. */
err_t store_peer_is_set(
	struct call *call, const char *authorization, const char *id, bool *is_set) MUST_CHECK;

/* ---- the end: their numbers are free again, `n` is how many ---- */

err_t store_peer_end_authorization(
	struct call *call, const char *authorization, const char *reason, long long *n) MUST_CHECK;
err_t store_peer_end_key(struct call *call, const char *user, const char *public_key,
	const char *reason, long long *n) MUST_CHECK;
/* Those of the user whose id is not after `last`. */
err_t store_peer_end_up_to(struct call *call, const char *user, const char *last,
	const char *reason, long long *n) MUST_CHECK;
err_t store_peer_end_profile(
	struct call *call, const char *profile_id, const char *reason, long long *n) MUST_CHECK;
err_t store_peer_end_server(
	struct call *call, const char *server, const char *reason, long long *n) MUST_CHECK;
err_t store_peer_end_all(struct call *call, const char *reason, long long *n) MUST_CHECK;
/* Of any tenant: those whose time is over, or that nobody has used for 72 hours. */
err_t store_peer_end_over(struct call *call, long long *n) MUST_CHECK;

/* ---- judging ---- */

err_t store_peer_judge_user(struct call *call, const char *user) MUST_CHECK;
err_t store_peer_judge_profile(struct call *call, const char *profile_id) MUST_CHECK;
/* Those of profiles that are open to groups. */
err_t store_peer_judge_grouped(struct call *call) MUST_CHECK;
/* Of any tenant: tenant, id, user, profile_id; not more than a task can ask about. */
err_t store_peer_to_judge(struct call *call, struct db_rows **rows) MUST_CHECK;
/* Ends the peer for this reason, or with NULL notes that it may stay. */
err_t store_peer_judged(
	struct call *call, const char *id, const char *reason, long long *n) MUST_CHECK;

/* ---- servers and what they tell (store_peer_server.c) ---- */

/* It begins anew with this key: it has no peers yet. */
err_t store_peer_server_begins(
	struct call *call, const char *server, const char *public_key) MUST_CHECK;
/* Counts, and notes in the log of VPN connections who is there. */
err_t store_peer_report(struct call *call, const char *server, size_t n,
	Provision__WireguardPeerReport *const reports[]) MUST_CHECK;
/* `state` is that of the peers that the server has: if those are all, they are set now; else they
 * come in the reply. */
err_t store_peer_sync(struct call *call, const char *server, const char *state,
	Provision__WireguardPeers *reply) MUST_CHECK;

/* Of any tenant: closes the entries of those that have not been heard of; how many may connect;
 * removes those that ended long ago. */
err_t store_peer_end_sessions(struct call *call) MUST_CHECK;
err_t store_peer_count(struct call *call, long long *n) MUST_CHECK;
err_t store_peer_forget(struct call *call) MUST_CHECK;
