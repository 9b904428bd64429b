/*
 * state: what a device's state allows: pending -> approved, approved <-> blocked, any -> retired.
 * Pure logic, any thread.
 */
#pragma once

#include "lib/call.h"

#define STATE_PENDING  "pending"
#define STATE_APPROVED "approved"
#define STATE_BLOCKED  "blocked"
#define STATE_RETIRED  "retired"

/* Refuses (FAILED_PRECONDITION) a change of a device from one state to another that may not be; to
 * stay as it is may be, except that a retired device never changes in any way. */
err_t state_check_change(struct call *call, const char *from, const char *to) MUST_CHECK;

/* Refuses (FAILED_PRECONDITION) a device that isn't approved, and says what would help. */
err_t state_check_attach(struct call *call, const char *state) MUST_CHECK;
