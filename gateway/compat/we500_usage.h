/* we500_usage: counters of what devices ask of the portal. Thread safe. */
#pragma once

#include "lib/err.h"

#include <stdbool.h>

enum we500_kind { WE500_POLL, WE500_PACKET, WE500_ACKNOWLEDGE };

void we500_usage_open(void);

/* `remembered`: provision was away, and the answer came from memory. */
void we500_usage_count(enum we500_kind kind, err_t err, bool remembered);
