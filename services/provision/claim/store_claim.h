/*
 * store_claim: the SQL of expected devices, on the tables of db/migrations/0016_claims.sql. The
 * rules are those of store.h.
 */
#pragma once

#include "lib/db.h"
#include "proto/claim.pb-c.h"
#include "services/provision/claim/csv.h"

/* Which of these serials are expected or there already: serial. */
err_t store_expected_known(
	struct call *call, size_t n, char *const serials[], struct db_rows **rows) MUST_CHECK;
/* Adds the rows; `codes` are digests, "" for none. */
err_t store_expected_add(struct call *call, size_t n, const struct csv_row *const rows[],
	const char *const codes[]) MUST_CHECK;
err_t store_expected_get(
	struct call *call, const char *id, Provision__ExpectedDevice *reply) MUST_CHECK;
err_t store_expected_lock(
	struct call *call, const char *id, Provision__ExpectedDevice *reply) MUST_CHECK;
err_t store_expected_list(struct call *call, const Provision__ListExpectedDevicesRequest *request,
	Provision__ExpectedDeviceList *reply) MUST_CHECK;
err_t store_expected_delete(struct call *call, const char *id) MUST_CHECK;
/* Sets its code: a digest, good for `seconds`; 0: for ever. */
err_t store_expected_code(
	struct call *call, const char *id, const char *code, int seconds) MUST_CHECK;
/* Makes or renews the row by which this device is handed over: its id. */
err_t store_expected_transfer(struct call *call, const char *device, const char **id) MUST_CHECK;

/* Of any tenant, locked: the row that this code is for: tenant, id, name, network, legacy, approve,
 * device (that is to be handed over). */
err_t store_expected_claim(
	struct call *call, const char *serial, const char *code, struct db_rows **rows) MUST_CHECK;
/* Of any tenant: legacy devices that are expected where somebody asks for `host`, two at most: as
 * above, and legacy_open. */
err_t store_expected_legacy(
	struct call *call, const char *serial, const char *host, struct db_rows **rows) MUST_CHECK;
/* The row became this device of that tenant; its code ends. */
err_t store_expected_claimed(
	struct call *call, const char *id, const char *tenant, const char *device) MUST_CHECK;
err_t store_name_taken(struct call *call, const char *name, bool *taken) MUST_CHECK;
