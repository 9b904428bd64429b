/*
 * crew: threads that take jobs from one queue, first come first served. Thread safe.
 */
#pragma once

#include <stdbool.h>

/* Embedded in what is to be done. */
struct job {
	struct job *next; /* crew.first */
};

struct crew;

/* Starts `n` threads that call `run` for each job. */
struct crew *crew_start(int n, void (*run)(struct job *job));

/* Queues a job; `run` may be at it before this returns. */
void crew_put(struct crew *crew, struct job *job);

/* Jobs that wait for a thread. */
int crew_waiting(struct crew *crew);

/* Ends the threads after all that was put, and frees. NULL is fine. */
void crew_stop(struct crew *crew);
