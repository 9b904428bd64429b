/* portal_event: tells the edges, which remember what devices were told, that it has changed. */
#pragma once

#include "lib/call.h"

/* In the call's transaction. `serial` "": every device of the tenant's portal. */
err_t portal_changed(struct call *call, const char *serial) MUST_CHECK;
