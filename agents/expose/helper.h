/*
 * helper: one run of uacme, Debian's small ACME client, as a process of its own. It calls this
 * program back as its hook (acme_hook), which asks here, through a socket that both inherit. The
 * loop's thread.
 */
#pragma once

#include "agents/loop.h"
#include "agents/proxy.h"

#include "lib/err.h"

#include <stdbool.h>

#define HELPER_SAID_MAX 16384 /* of what it says the end is kept */

struct helper;

struct helper_options {
	struct loop *loop;
	const char *dir;   /* of its account; one run at a time has it */
	char *const *argv; /* "uacme", ..., NULL */
	const char *ca;	   /* file of certificates to trust; NULL: the system's */
	const struct proxy *proxy;
	void *context;
	/* An authority asks for `value` in the TXT record of `name`: helper_answer says if it is
	 * there. NULL: that can't happen. */
	void (*challenged)(void *context, const char *name, const char *value);
	/* Called once: its status (of waitpid), and what it said. Destroys the helper or lets its
	 * owner do it. */
	void (*ended)(void *context, int status, const char *said);
};

struct helper *helper_start(const struct helper_options *options);

/* Answers the last challenge. */
void helper_answer(struct helper *helper, bool is_there);

/* Kills it if it still runs. NULL is fine. */
void helper_destroy(struct helper *helper);

/* ---- the hook ---- */

#define HELPER_HOOK_NAME "lanyard-acme-hook" /* what the program is called by then */

/* Makes DIR/lanyard-acme-hook a link to this program. */
err_t helper_link_hook(const char *dir, struct fault *fault) MUST_CHECK;

/* What the program does when it is called by that name; the exit status. */
int acme_hook(int argc, char **argv);
