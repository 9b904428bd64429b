/*
 * schedule: when a certificate is asked for. Pure functions over a few numbers; times are seconds
 * of Unix time.
 */
#pragma once

#include <stdint.h>

/* When a certificate that is good from `from_s` until `until_s` is renewed: when two thirds of its
 * life are over, and a little later, not at the same moment as all others. */
int64_t schedule_renewal_s(int64_t from_s, int64_t until_s, uint32_t random);

/* How long to wait after `failures` in a row, from 1: doubling, half of it random. */
int64_t schedule_retry_ms(unsigned failures, uint32_t random);
