/*
 * signals: SIGTERM and SIGINT on the loop, as the end of a process that runs in the foreground.
 */
#pragma once

#include "agents/loop.h"

struct signals {
	struct loop *loop;
	struct loop_watch watch;
	void (*asked)(void *context);
	void *context;
};

/* First of all: they wait until the loop looks at them. SIGPIPE is of no interest. */
void signals_block(void);

/* `asked` is called for each that came. */
void signals_open(
	struct signals *signals, struct loop *loop, void (*asked)(void *context), void *context);
void signals_close(struct signals *signals);
