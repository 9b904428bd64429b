/*
 * store: the SQL of pairs as people see them, and of clearing up. Every function runs in the call's
 * transaction; text that it returns is in the call's arena.
 */
#pragma once

#include "lib/call.h"
#include "lib/err.h"
#include "proto/rendezvous.pb-c.h"

#include <stdbool.h>
#include <stddef.h>

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
