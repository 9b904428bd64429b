/*
 * federation_store: the SQL of trusted sites and their guests, on the tables of
 * db/migrations/0035_federation.sql. As services/auth/store.h.
 */
#pragma once

#include "lib/call.h"
#include "lib/db.h"
#include "proto/federation.pb-c.h"

/* A tenant that trusts nobody has no key, seq 0 and version 0. */
err_t store_federation_get(struct call *call, Auth__Federation *reply) MUST_CHECK;
/* Replaces all of it: public_key, seq and instances. */
err_t store_federation_set(struct call *call, const Auth__Federation *federation) MUST_CHECK;
err_t store_federation_delete(struct call *call) MUST_CHECK;

/* ---- guests ---- */

/* One row or none: user_id, user (name), role, state. Notes that the person is here. */
err_t store_guest_find(
	struct call *call, const char *host, const char *subject, struct db_rows **rows) MUST_CHECK;
err_t store_guest_create(
	struct call *call, const char *host, const char *subject, const char *user) MUST_CHECK;
err_t store_guest_count(struct call *call, long long *n) MUST_CHECK;

/* Delete users who were guests of hosts that the tenant does not trust; or in any tenant those who
 * have not come for long, but for the blocked: they would come back as others. Rows: tenant, user.
 */
err_t store_guest_end_strangers(struct call *call, struct db_rows **rows) MUST_CHECK;
err_t store_guest_purge(struct call *call, struct db_rows **rows) MUST_CHECK;
