/* store: what the lists of networks, devices and members share; see store.h. */
#include "services/provision/store.h"

const char *store_cursor(const char *cursor)
{
	return *cursor != '\0' ? cursor : "00000000-0000-0000-0000-000000000000";
}

const char *store_limit(struct call *call, unsigned limit)
{
	return arena_printf(call->arena, "%u", db_page_limit(limit) + 1);
}

const char *store_filter(const char *text)
{
	return *text != '\0' ? text : NULL;
}
