/*
 * netns: makes things in a named network namespace (those of `ip netns`), while the rest of the
 * process stays where it is. To be used before the process has a second thread.
 */
#pragma once

#include "lib/err.h"

/* Moves the thread into namespace `name`; `home` is for netns_leave. `name` NULL: stays, home is
 * -1. */
err_t netns_enter(const char *name, int *home, struct fault *fault) MUST_CHECK;

/* Moves it back. */
void netns_leave(int home);
