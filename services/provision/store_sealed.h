/* store_sealed: the SQL of every table that holds what the vault has sealed, in any tenant. */
#pragma once

#include "lib/db.h"

#define STORE_SEALED_KINDS 5

/* Some rows of a kind that are sealed under another key: `use` and `sealed`. */
err_t store_sealed_otherwise(
	struct call *call, size_t kind, const char *key_id, struct db_rows **rows) MUST_CHECK;
err_t store_sealed_set(struct call *call, size_t kind, const struct db_rows *rows, size_t row,
	const char *sealed) MUST_CHECK;
