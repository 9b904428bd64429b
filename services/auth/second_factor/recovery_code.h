/*
 * recovery_code: ten codes, each good once in place of one of the app. Runs in the thread of the
 * call.
 */
#pragma once

#include "lib/call.h"

#include <stdbool.h>

/* Makes a user's codes, in place of earlier ones; texts in the arena. */
err_t recovery_code_renew(struct call *call, const char *user, size_t *n, char ***codes) MUST_CHECK;

/* What was typed as a code is kept; "" if it can't be one. */
const char *recovery_code_read(struct call *call, const char *typed);

/* Uses a code that was read. */
err_t recovery_code_use(
	struct call *call, const char *user, const char *code, bool *right) MUST_CHECK;
