/*
 * clock: the two clocks. Deadlines and intervals use clock_ms or clock_us (monotonic, since boot);
 * what other machines or people see uses clock_unix_ms.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

int64_t clock_ms(void);
int64_t clock_us(void);
int64_t clock_unix_ms(void);

/* Writes RFC 3339 in UTC with seconds, "2026-03-01T12:00:00Z", into `text`. */
#define CLOCK_TEXT_LEN 21
void clock_text(int64_t unix_s, char text[CLOCK_TEXT_LEN]);

/* Reads what clock_text writes, and nothing else. */
bool clock_read(const char *text, int64_t *unix_s);
