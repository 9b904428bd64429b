/*
 * svc_transact: runs each bus call of a service with state in one transaction, once an idempotency
 * key. docs/decisions has the reasons. For svc only.
 */
#pragma once

#include "lib/bus.h"
#include "lib/db.h"

struct svc_transact;

/* `schema` holds the table idempotency; `url` and `application` are kept. */
struct svc_transact *svc_transact_create(
	const char *schema, const char *url, const char *application);
void svc_transact_destroy(struct svc_transact *transact); /* NULL is fine */

/* Sets the server's worker and around functions; each worker has a connection of its own. */
void svc_transact_serve(struct svc_transact *transact, struct bus_server *server);

/* OK when PostgreSQL answers and the schema is there; else `fault` says what is missing. */
err_t svc_transact_check(struct db *db, const char *schema, struct fault *fault) MUST_CHECK;
