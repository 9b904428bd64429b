/* alarms: the task that tells operators, in the log, the audit and a metric, of what they should
 * look at. */
#pragma once

#include "lib/call.h"

void alarms_open(void); /* registers the metrics */

err_t alarms_tell(struct call *call) MUST_CHECK;
