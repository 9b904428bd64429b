/*
 * hooks: commands of the operator that are run when something happens to the interface or the
 * connection (docs/agent.md tells their environment). A process of its own, forked at the start,
 * runs them one after the other: it keeps the rights that the process began with, is in the
 * interface's network namespace, and waits so that the loop does not have to.
 */
#pragma once

#include "agents/loop.h"

#include "lib/err.h"

#include <stdbool.h>

enum hook {
	HOOK_EXEC,	/* the interface is there, before the first connection */
	HOOK_UP,	/* the first session is open */
	HOOK_RECONNECT, /* a later one is */
	HOOK_DOWN,	/* the end, before the interface goes */
	N_HOOKS,
};

const char *hook_name(enum hook hook);

struct hooks;

struct hooks_options {
	const char *commands[N_HOOKS]; /* NULL: none */
	unsigned timeout_s;	       /* of each command */
	const char *netns;	       /* of the interface; NULL: the process's own */
};

/* Forks, so: before the process has secrets, descriptors that matter, or a second thread. NULL
 * without any command. */
err_t hooks_create(
	struct hooks **hooks, const struct hooks_options *options, struct fault *fault) MUST_CHECK;

/* Waits for a command that still runs; NULL is fine. */
void hooks_destroy(struct hooks *hooks);

/* Before the first hooks_run. */
void hooks_listen(struct hooks *hooks, struct loop *loop);

/* Is there a command for it? False for hooks NULL. */
bool hooks_has(const struct hooks *hooks, enum hook hook);

/*
 * Has the command of `hook`, which there is, run after those that were asked for before, with the
 * NULL-terminated list of "NAME=value" in its environment. `done` (may be NULL) is called from the
 * loop when it has ended; `ok` if well, else the log has said how.
 */
void hooks_run(struct hooks *hooks, enum hook hook, const char *const variables[],
	void (*done)(void *context, bool ok), void *context);
