/* request: see request.h. */
#include "services/auth/request.h"

#include "lib/check.h"

#include <inttypes.h>

err_t request_check_name(struct call *call, const char *name)
{
	return check_text(call, "name", name, 1, REQUEST_NAME_MAX);
}

err_t request_check_list(struct call *call, const Auth__ListRequest *request)
{
	err_t err = check_text(call, "name", request->name, 0, REQUEST_NAME_MAX);

	if (err != OK || *request->cursor == '\0')
		return err;
	return check_uuid(call, "cursor", request->cursor);
}

err_t request_check_version(struct call *call, int64_t wanted, int64_t is)
{
	if (wanted == 0 || wanted == is)
		return OK;
	return call_refuse(call, ERR_FAILED_PRECONDITION, "version",
		"expected version %" PRId64 ", it was changed since", is);
}

err_t request_unauthenticated(struct call *call)
{
	return call_refuse(call, ERR_UNAUTHENTICATED, NULL, "%s", REQUEST_UNAUTHENTICATED);
}
