/* attempt_store: the SQL of counts and known browsers. As services/auth/store.h. */
#pragma once

#include "lib/call.h"
#include "lib/db.h"

/* How many were wrong of late; `wait_s` until they count no more. */
err_t store_failures(
	struct call *call, const char *key, long long *failures, long long *wait_s) MUST_CHECK;
err_t store_failure_add(struct call *call, const char *key) MUST_CHECK;
err_t store_failure_purge(struct call *call) MUST_CHECK;

/* One row or none: digest (hex). */
err_t store_browser_find(
	struct call *call, const char *id, const char *user, struct db_rows **rows) MUST_CHECK;
err_t store_browser_create(struct call *call, const char *id, const char *user, const char *digest,
	const char *address) MUST_CHECK;
err_t store_browser_seen(struct call *call, const char *id, const char *address) MUST_CHECK;
/* Has the user got in from there? If so, notes that it has again. */
err_t store_address_seen(
	struct call *call, const char *user, const char *address, bool *known) MUST_CHECK;
err_t store_address_known(
	struct call *call, const char *user, const char *address, bool *known) MUST_CHECK;
err_t store_browser_purge(struct call *call) MUST_CHECK;
