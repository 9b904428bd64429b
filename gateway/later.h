/*
 * later: jobs that come back to their crew after a moment, so that a request that waits for
 * something keeps no thread from those that it waits for. Thread safe.
 */
#pragma once

#include "gateway/crew.h"

struct later;

struct later *later_start(struct crew *crew);

/* None must be left. NULL is fine. */
void later_stop(struct later *later);

/* The crew gets the job a tenth of a second from now. */
void later_put(struct later *later, struct job *job);
