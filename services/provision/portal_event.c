/* portal_event: see portal_event.h. */
#include "services/provision/portal_event.h"

#include "lib/event.h"
#include "proto/event.pb-c.h"

err_t portal_changed(struct call *call, const char *serial)
{
	Event__PortalChanged event = EVENT__PORTAL_CHANGED__INIT;

	event.serial = (char *)(uintptr_t)serial;
	return event_publish(call, "portal", &event.base);
}
