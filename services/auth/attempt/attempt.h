/*
 * attempt: somebody shows a password. Wrong ones are counted for the user's name, but for a browser
 * or an address with which the user got in before each has a count of its own: so a stranger who
 * guesses can't lock the user out. A wrong password is no fault: the count has to be committed.
 * Runs in the thread of the call, whose tenant is that of the user.
 */
#pragma once

#include "lib/call.h"

#include <stdbool.h>
#include <stdint.h>

#define ATTEMPT_NOBODY "00000000-0000-0000-0000-000000000000"

struct attempt {
	const char *user; /* the name, as it was typed */
	const char *id;	  /* of that user; ATTEMPT_NOBODY if there is none, which costs the same */
	const char *hash; /* "" if there is none */
	const char *password;
	const char *address; /* "": not known */
	const char *browser; /* what its cookie holds, "" without one */
};

struct verdict {
	bool right;
	uint32_t retry_after_s; /* not 0: there were too many, and the password was not looked at */
};

/* Once, before the first thread: registers the metrics. */
void attempt_open(void);

/* A user that isn't there takes as long as a wrong password. RESOURCE_EXHAUSTED: too many at once.
 */
err_t attempt_password(
	struct call *call, const struct attempt *attempt, struct verdict *verdict) MUST_CHECK;

/* From now on the address is one of the user's. `browser`: the text for its cookie, NULL if it has
 * one already. */
err_t attempt_remember_browser(
	struct call *call, const struct attempt *attempt, const char **browser) MUST_CHECK;
err_t attempt_remember_address(struct call *call, const struct attempt *attempt) MUST_CHECK;

/* Forgets counts and browsers that are over, in every tenant. A task. */
err_t attempt_purge(struct call *call) MUST_CHECK;
