/*
 * store: all SQL of the rendezvous service, on table rendezvous.pair. Every function runs in the
 * call's transaction; text that it returns is in the call's arena.
 */
#pragma once

#include "lib/call.h"
#include "lib/err.h"
#include "proto/rendezvous.pb-c.h"
#include "services/rendezvous/claim.h"

#include <stdbool.h>
#include <stddef.h>

#define STORE_WAITING_MAX "10000" /* waiting pairs of a tenant; text, for SQL and messages */
#define STORE_TOKEN_MAX	  "1000"  /* live pairs of a token */

/* Finds and locks the live pair of a token and nonce; *found is NULL if there is none. */
err_t store_find_live(struct call *call, const char *token_id, const char *nonce,
	struct claim_pair **found) MUST_CHECK;

/* Has the tenant as many waiting pairs as it may have? */
err_t store_is_full(struct call *call, bool *full) MUST_CHECK;

/* Has the token as many live pairs as it may have? */
err_t store_token_is_full(struct call *call, const char *token_id, bool *full) MUST_CHECK;

/* Adds a waiting pair; *id is NULL if another claim of the same token and nonce came first. */
err_t store_insert(
	struct call *call, const Rendezvous__ClaimRequest *request, const char **id) MUST_CHECK;

/* Makes `end` the second of a waiting pair that is locked. */
err_t store_join(struct call *call, const char *id, const struct claim_end *end) MUST_CHECK;

/* Removes a waiting pair, or closes a joined one. */
err_t store_end(struct call *call, const char *id) MUST_CHECK;

/* The first client of a waiting pair is still there. */
err_t store_announce(struct call *call, const char *id) MUST_CHECK;

/* As store_end, only if `connection` is one of the pair's; counts what it has sent. */
err_t store_release(struct call *call, const char *id, const char *connection,
	unsigned long long bytes) MUST_CHECK;

err_t store_get(struct call *call, const char *id, Rendezvous__Pair *pair) MUST_CHECK;
/* As store_get, and locks the pair. */
err_t store_get_locked(struct call *call, const char *id, Rendezvous__Pair *pair) MUST_CHECK;
err_t store_list(struct call *call, const Rendezvous__ListRequest *request,
	Rendezvous__PairList *list) MUST_CHECK;

/* The last `days` days of the tenant, the newest first. */
err_t store_list_traffic(
	struct call *call, unsigned days, Rendezvous__TrafficList *list) MUST_CHECK;

/* Closes a live pair, waiting or joined, and keeps it for listing. */
err_t store_close(struct call *call, const char *id, Rendezvous__Pair *pair) MUST_CHECK;

/* ---- for the whole fleet: the call's tenant is CALL_FLEET ---- */

struct store_ended {
	const char *tenant;
	const char *id;
};

/* Removes waiting pairs that waited too long, a batch at a time, and tells which. */
err_t store_expire(struct call *call, struct store_ended **ended, size_t *n) MUST_CHECK;

/* Closes joined pairs that have a node without a heartbeat for a minute, a batch at a time. */
err_t store_abandon(struct call *call, struct store_ended **ended, size_t *n) MUST_CHECK;

/* Removes what was closed an hour ago. */
err_t store_forget(struct call *call) MUST_CHECK;
