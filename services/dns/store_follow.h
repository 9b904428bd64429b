/*
 * store_follow: reads what has changed in the database into the directory. In the call's
 * transaction; sees every tenant's rows, so it wants CALL_FLEET.
 */
#pragma once

#include "lib/call.h"
#include "services/dns/directory.h"

#include <stdint.h>

/* What a read has found, not yet in the directory. */
struct store_changes {
	uint64_t next; /* where the next read begins: nothing older can still appear */
	struct directory_zone **zones;
	size_t n_zones;
	struct holding **holdings;
	size_t n_holdings;
	char **gone; /* ids */
	size_t n_gone;
};

/* Reads all that was changed by transaction `since` or a later one; 0: everything. What it finds is
 * malloc'ed. */
err_t store_changes_read(
	struct call *call, uint64_t since, struct store_changes *changes) MUST_CHECK;

/* Puts it into the directory, which takes it. */
void store_changes_apply(struct store_changes *changes, struct directory *directory);

/* Frees what was not applied. */
void store_changes_finish(struct store_changes *changes);
