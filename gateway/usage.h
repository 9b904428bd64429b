/*
 * usage: metrics of the requests that were answered. Thread safe.
 */
#pragma once

#include "gateway/status.h"

#include <stdint.h>

/* Makes the metrics known to the ops port; once, at start. */
void usage_open(void);

void usage_count(enum http_status status, int64_t ms);
