/*
 * erasure: the end of a tenant in the schema of one service.
 *
 * auth writes a row of fabric.erasure for each service with state; each service takes its own away
 * when it has nothing of the tenant any more. The rows stay until then, so a restart or an error
 * only costs time. A service with state does this by itself (lib/svc); what its rows alone don't
 * tell, it does in svc_definition.erase.
 */
#pragma once

#include "lib/call.h"
#include "lib/err.h"
#include "lib/event.h"

struct erasure;

/* `schema` and `events` (NULL: none) are kept; `erase` may be NULL. */
struct erasure *erasure_create(
	const char *schema, const struct event_route *events, err_t (*erase)(struct call *call));
void erasure_destroy(struct erasure *erasure); /* NULL is fine */

/* Erases some of what is due, in a transaction of CALL_FLEET; `more`: call again at once. */
err_t erasure_step(struct erasure *erasure, struct call *call, bool *more) MUST_CHECK;
