/*
 * scan: notices when somebody tries serial numbers from many addresses at once, each of which stays
 * below the limit of its own. What is looked at is the last ten minutes, in a table of fixed size.
 * Thread safe.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define SCAN_ADDRESSES	 100 /* that tried unknown serial numbers within the window: an alarm */
#define SCAN_SERIAL_SIZE 65

/* Notes that `serial` was asked for from `source`, and that there is no such device. */
void scan_note(const char *source, const char *serial, int64_t now_ms);

/* True once for each window in which there was an alarm: how many addresses there were, and one of
 * the serial numbers. */
bool scan_take(unsigned *addresses, char serial[SCAN_SERIAL_SIZE]);
