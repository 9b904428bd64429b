/*
 * trial: makes a package the current one, has the operator's command apply it, and sees whether the
 * portal is still reached, over a new connection. If not, the last good one is current again, and
 * the command has applied that. The loop's thread.
 */
#pragma once

#include "agents/fetch.h"
#include "agents/loop.h"
#include "agents/packages/journal.h"
#include "agents/state.h"

#include "lib/err.h"

struct trial;

struct trial_options {
	struct loop *loop;
	struct fetcher *fetcher;
	const struct device *device;
	const char *dir;	 /* of the depot */
	struct journal *journal; /* says what is tried; kept up to date on the disk */
	const char *command;	 /* of --apply-command; NULL: none */
	unsigned command_s;	 /* it is killed after so long */
	unsigned settle_s;	 /* from the command's end to the first test */
	unsigned test_s;	 /* tests go on for so long */
	void *context;
	void (*ended)(void *context); /* the journal says how; may destroy the trial */
};

/* Begins with what the journal's phase is, or goes on with it. */
struct trial *trial_create(const struct trial_options *options);
void trial_destroy(struct trial *trial); /* NULL is fine */
