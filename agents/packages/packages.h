/*
 * packages: keeps this device at the package that its tenant wants it to have: asks the portal,
 * fetches, has it tried, and tells what became of it. The loop's thread.
 */
#pragma once

#include "agents/packages/trial.h"

struct packages;

struct packages_options {
	struct trial_options trial; /* but for context and ended */
	bool once;		    /* ends when there is nothing more to do now */
	void *context;
	/* With `once`: it is done; `why` NULL: the package that is wanted is in use. May destroy
	 * it. */
	void (*done)(void *context, const char *why);
};

struct packages *packages_create(const struct packages_options *options);
/* How it is, as JSON for lanyard status; malloc'ed. */
char *packages_status(const struct packages *packages);
void packages_destroy(struct packages *packages); /* NULL is fine */
