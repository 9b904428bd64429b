/* store: what the lists of networks, devices and members share; see store.h. */
#include "services/provision/store.h"

#define N_FIXED 3 /* tenant, cursor, limit */

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

const char *store_number(struct call *call, unsigned number)
{
	return arena_printf(call->arena, "%u", number);
}

const char *store_bool(bool value)
{
	return value ? "true" : "false";
}

err_t store_page(struct call *call, const struct db_statement pages[], ProtobufCMessage *list,
	unsigned limit, size_t n, const char *const params[])
{
	while (n > N_FIXED && params[n - 1] == NULL)
		n--;
	return db_page(call, &pages[n - N_FIXED], list, limit, n, params);
}
