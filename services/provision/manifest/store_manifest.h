/* store_manifest: the SQL of manifests and of who signs them, on the tables of
 * db/migrations/0021_manifests.sql. The rules are those of store.h. */
#pragma once

#include "services/provision/store.h"

/* A device of the portal as poll.c needs it, locked: serial, state, quarantined, current,
 * delivered, acknowledged, unanswered, bad, manifest, interval_s, update_interval_s,
 * disabled_interval_s, disable_code. NOT_FOUND. */
err_t store_manifest_find(struct call *call, const char *device, struct db_rows **rows) MUST_CHECK;

/* The device could not use the current package: what it used before, if anything, is current. */
err_t store_manifest_failed(struct call *call, const char *device, const char *reason) MUST_CHECK;

/* The tenant's signer: authority, certificate, sealed_key, not_after_s; one row or none. */
err_t store_signer_get(struct call *call, struct db_rows **rows) MUST_CHECK;
err_t store_signer_set(struct call *call, const char *authority, const char *certificate,
	const char *sealed_key, int64_t not_after_s) MUST_CHECK;
