/*
 * store_claim: the SQL of claims and releases, each statement for a whole batch. In the call's
 * transaction; text that it returns is in the call's arena.
 */
#pragma once

#include "lib/call.h"
#include "lib/err.h"
#include "proto/rendezvous.pb-c.h"
#include "services/rendezvous/claim.h"

#include <stddef.h>

#define STORE_WAITING_MAX "10000" /* waiting pairs of a tenant; text, for SQL and messages */
#define STORE_TOKEN_MAX	  "1000"  /* live pairs of a token */

/* The transaction need not be on the disk when it is answered: who waits claims again, and a pair
 * that PostgreSQL forgot in a crash lives on in its nodes. */
err_t store_hurry(struct call *call) MUST_CHECK;

/* Finds and locks the live pairs of the spots. */
err_t store_find_live(struct call *call, struct claim_spot *spots, size_t n) MUST_CHECK;

/* How many further pairs there may be: waiting ones of the tenant, and of each spot's token. */
err_t store_room(struct call *call, struct claim_spot *spots, size_t n, long *room) MUST_CHECK;

/* Removes the spots' stale pairs if they wait, closes them if they are joined. */
err_t store_end_stale(struct call *call, const struct claim_spot *spots, size_t n) MUST_CHECK;

/* Adds the new pairs and fills in their ids, or says that they have lost. */
err_t store_insert(
	struct call *call, const char *node, struct claim_spot *spots, size_t n) MUST_CHECK;

/* Gives the pairs that were found their second client. */
err_t store_join(
	struct call *call, const char *node, const struct claim_spot *spots, size_t n) MUST_CHECK;

/* The first clients of the waiting pairs are still there. */
err_t store_announce(struct call *call, const struct claim_spot *spots, size_t n) MUST_CHECK;

/* Removes waiting pairs and closes joined ones, those whose connection is one of the pair's; counts
 * what it has sent. */
err_t store_release(struct call *call, const Rendezvous__ReleaseRequest *request) MUST_CHECK;

/* Counts what the connections have sent until now, and changes nothing else. */
err_t store_count(struct call *call, const Rendezvous__ReleaseRequest *request) MUST_CHECK;
