/* request: see request.h. Any thread. */
#include "services/provision/request.h"

#include "lib/check.h"
#include "services/provision/state.h"

#include <inttypes.h>

static err_t check_optional(struct call *call, const char *field, const char *text,
	err_t (*check)(struct call *call, const char *field, const char *text))
{
	return *text != '\0' ? check(call, field, text) : OK;
}

static err_t check_state(struct call *call, const char *field, const char *text)
{
	static const char *const states[] = { STATE_PENDING, STATE_APPROVED, STATE_BLOCKED,
		STATE_RETIRED, NULL };

	return check_word(call, field, text, states);
}

err_t request_check_list(struct call *call, const Provision__ListRequest *request)
{
	err_t err;

	if ((err = check_optional(call, "cursor", request->cursor, check_uuid)) != OK ||
		(err = check_optional(call, "name", request->name, check_label)) != OK ||
		(err = check_optional(call, "state", request->state, check_state)) != OK ||
		(err = check_optional(call, "network", request->network, check_uuid)) != OK)
		return err;
	return check_optional(call, "device", request->device, check_uuid);
}

err_t request_check_version(struct call *call, int64_t wanted, int64_t version)
{
	if (wanted != 0 && wanted != version)
		return call_refuse(call, ERR_FAILED_PRECONDITION, "version",
			"the version is %" PRId64 " now", version);
	return OK;
}
