/*
 * bootstrap: the first operator. With an empty database it makes the fleet's own tenant, the user
 * admin and an API key, and writes their secrets into a file once. Runs at the start, in the main
 * thread.
 */
#pragma once

#include "lib/call.h"
#include "lib/db.h"

/* Does nothing if the fleet tenant is there, or if `path` is empty. Several instances may try at
 * once: one does it. The secrets are on disk before the commit, so they can't be lost. */
err_t bootstrap_run(struct db *db, struct call *call, const char *path) MUST_CHECK;
