/*
 * slot: when those who ask now and then ask next. Each has a moment of its own within the interval,
 * by its name, so that a fleet which came back all at once is spread evenly from then on. Pure, any
 * thread.
 */
#pragma once

#include <stdint.h>

#define SLOT_INTERVAL_MIN 10
#define SLOT_INTERVAL_MAX 86400

/* Seconds until its next moment that is at least half an interval away; `random` moves it by 5 % at
 * most. Always within the limits. */
int slot_wait_s(const char *name, int interval_s, int64_t now_s, uint32_t random);

/* Within the limits. */
int slot_clamp(int64_t wait_s);
