/* portal_gauges: how all portal devices are, as metrics. */
#pragma once

#include "lib/call.h"

void portal_gauges_open(void);

/* The task. */
err_t portal_gauges_count(struct call *call) MUST_CHECK;
