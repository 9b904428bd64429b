/*
 * child: a process that this one has started, watched on the loop until it ends. It leads a process
 * group, which is killed when its time is over. The loop's thread.
 */
#pragma once

#include "agents/loop.h"

#include <sys/types.h>

#define CHILD_NO_LIMIT (INT64_MAX / 2)

struct child;

/* Takes `pid`. `ended` is called once with its status (of waitpid), not after child_destroy. */
struct child *child_create(struct loop *loop, pid_t pid, int64_t limit_ms,
	void (*ended)(void *context, int status), void *context);

/* Kills it if it still runs; also from `ended`. NULL is fine. */
void child_destroy(struct child *child);
