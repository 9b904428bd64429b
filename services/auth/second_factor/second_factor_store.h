/*
 * second_factor_store: the SQL of second factors, on the tables of
 * db/migrations/0018_second_factor.sql. As services/auth/store.h.
 */
#pragma once

#include "lib/call.h"
#include "lib/db.h"
#include "proto/second_factor.pb-c.h"

/* One row, none if there is no such user: sealed ("": not enrolled), last_step. Nobody else tries a
 * code of the user until the transaction ends. */
err_t store_totp_lock(struct call *call, const char *user, struct db_rows **rows) MUST_CHECK;
err_t store_second_factor_get(
	struct call *call, const char *user, Auth__SecondFactor *reply) MUST_CHECK;
err_t store_totp_create(
	struct call *call, const char *user, const char *sealed, long long step) MUST_CHECK;
err_t store_totp_step(struct call *call, const char *user, long long step) MUST_CHECK;
/* Also the recovery codes. */
err_t store_second_factor_delete(struct call *call, const char *user) MUST_CHECK;

/* Notes a try, unless it is one too many; one row: too_many, again (it was tried before). */
err_t store_code_attempt(
	struct call *call, const char *user, const char *digest, struct db_rows **rows) MUST_CHECK;
err_t store_code_attempt_purge(struct call *call) MUST_CHECK;

/* In place of all that the user has. */
err_t store_recovery_codes_set(
	struct call *call, const char *user, size_t n, char *const digests[]) MUST_CHECK;
err_t store_recovery_code_use(
	struct call *call, const char *user, const char *digest, bool *used) MUST_CHECK;
