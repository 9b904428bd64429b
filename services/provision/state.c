/* state: the table of a device's states. Called by the handlers of devices and members, any thread.
 */
#include "services/provision/state.h"

#include "lib/mem.h"

#include <string.h>

static const struct {
	const char *from, *to;
} changes[] = {
	{ STATE_PENDING, STATE_PENDING },
	{ STATE_PENDING, STATE_APPROVED },
	{ STATE_PENDING, STATE_RETIRED },
	{ STATE_APPROVED, STATE_APPROVED },
	{ STATE_APPROVED, STATE_BLOCKED },
	{ STATE_APPROVED, STATE_RETIRED },
	{ STATE_BLOCKED, STATE_BLOCKED },
	{ STATE_BLOCKED, STATE_APPROVED },
	{ STATE_BLOCKED, STATE_RETIRED },
};

err_t state_check_change(struct call *call, const char *from, const char *to)
{
	for (size_t i = 0; i < ARRAY_LEN(changes); i++)
		if (strcmp(changes[i].from, from) == 0 && strcmp(changes[i].to, to) == 0)
			return OK;
	if (strcmp(from, STATE_RETIRED) == 0)
		return call_refuse(call, ERR_FAILED_PRECONDITION, "state",
			"the device is retired, which is final");
	return call_refuse(call, ERR_FAILED_PRECONDITION, "state",
		"the device is %s and can't become %s", from, to);
}

err_t state_check_attach(struct call *call, const char *state)
{
	if (strcmp(state, STATE_APPROVED) == 0)
		return OK;
	if (strcmp(state, STATE_PENDING) == 0)
		return call_refuse(call, ERR_FAILED_PRECONDITION, "device",
			"the device is pending: an operator has to approve it first");
	if (strcmp(state, STATE_BLOCKED) == 0)
		return call_refuse(call, ERR_FAILED_PRECONDITION, "device",
			"the device is blocked: an operator has to approve it again");
	return call_refuse(
		call, ERR_FAILED_PRECONDITION, "device", "the device is retired: enrol it anew");
}
