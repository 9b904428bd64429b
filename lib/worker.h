/*
 * worker: a background thread that does one thing, sleeps, and does it again, until it is stopped.
 */
#pragma once

#include <stdint.h>

struct worker;

/* Runs `work` in a thread of its own; what it returns is the time to sleep until the next run, in
 * milliseconds. */
struct worker *worker_start(int64_t (*work)(void *arg), void *arg);

/* Ends the sleep now. From any thread. */
void worker_wake(struct worker *worker);

/* Waits for the running `work` to return, and frees. NULL is fine. */
void worker_stop(struct worker *worker);
