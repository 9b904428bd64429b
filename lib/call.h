/*
 * call: one request on its way through the fleet.
 *
 * The edge (an HTTP request, a new session, a timer) makes one; each bus call that serves it
 * carries the same trace, tenant and deadline; a service's handler gets its own, with a transaction
 * open. All memory made for it is in its arena. Belongs to the thread that serves it.
 */
#pragma once

#include "lib/err.h"
#include "lib/mem.h"

#include <stddef.h>
#include <stdint.h>

struct bus;
struct db;
struct event_ring;

#define CALL_FLEET "*" /* tenant of a call that may see every tenant's rows */

struct call {
	struct arena *arena;
	struct bus *bus;    /* to call other services */
	struct db *db;	    /* in a transaction, tenant set; NULL outside a service's handler */
	const char *tenant; /* UUID text, CALL_FLEET, or "" */
	const char *actor;  /* "user:UUID", "service:NAME", ... */
	char **scopes;	    /* the only ones of the actor's that its credential has */
	size_t n_scopes;    /* 0: all of them */
	const char *source; /* address of who asked the edge; "" if nobody outside did */
	const char *trace;  /* 32 hex digits */
	const char *idempotency_key; /* "" if the call changes nothing */
	int64_t deadline_ms;	     /* clock_ms() */
	struct event_ring *rings;    /* topics to ring after the commit (lib/event) */
	struct fault fault;	     /* of the last refusal */
};

/* A fresh call with its own arena, a new trace, and `timeout_ms` from now. `bus` and `actor` are
 * kept. */
void call_init(struct call *call, struct bus *bus, const char *actor, int64_t timeout_ms);
void call_finish(struct call *call);

/* Refuses: fault_set on the call's own fault. `return call_refuse(call, ERR_NOT_FOUND, "id", ...)`.
 */
#define call_refuse(call, err, field, ...) fault_set(&(call)->fault, err, field, __VA_ARGS__)

/* Milliseconds left, never below 0. */
int64_t call_left_ms(const struct call *call);

/* A key for a nested change: the same for a retry of this call, different for each `step`. "" stays
 * "". */
const char *call_step_key(struct call *call, const char *step);
