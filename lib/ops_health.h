/*
 * ops_health: asks the ops port of a process on this machine whether it is ready, for health checks
 * that have no other program at hand. Called once by a process that then ends.
 */
#pragma once

#include "lib/err.h"

/* Asks /readyz of the process that listens on "ADDRESS:PORT" and prints its answer, on stderr
 * unless it is ready. Waits a few seconds at most. */
err_t ops_health(const char *listen) MUST_CHECK;
