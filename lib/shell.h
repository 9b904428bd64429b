/*
 * shell: runs a command line that the operator gave, by /bin/sh -c, with nothing of this process
 * but its environment: signals as a new process has them, no descriptors but standard output and
 * error, no settings (LANYARD_*), since those may be secrets. Any thread.
 */
#pragma once

#include "lib/err.h"

#include <sys/types.h>

/* Starts it in a process group of its own, with the NULL-terminated list of "NAME=value" added to
 * its environment. The caller waits for it. */
err_t shell_start(pid_t *pid, const char *command, const char *const variables[],
	struct fault *fault) MUST_CHECK;

/* The same, and waits until it has ended well. What takes longer than `s` seconds is killed. */
err_t shell_run(const char *command, const char *const variables[], unsigned s,
	struct fault *fault) MUST_CHECK;
