/* own_list: see own_list.h. */
#include "services/auth/oauth/own_list.h"

#include "lib/check.h"
#include "lib/mem.h"
#include "services/auth/store.h"

#define BEFORE_ALL "00000000-0000-0000-0000-000000000000"
#define AFTER_ALL  "ffffffff-ffff-ffff-ffff-ffffffffffff"

err_t own_list_page(struct call *call, const struct own_list *list,
	const Auth__OwnListRequest *request, ProtobufCMessage *reply)
{
	const char *begin = request->newest ? AFTER_ALL : BEFORE_ALL;
	const char *params[] = { call->tenant, *request->cursor ? request->cursor : begin,
		*request->user ? request->user : NULL,
		store_number(call, db_page_limit(request->limit) + 1LL) };
	err_t err;

	if ((*request->cursor && (err = check_uuid(call, "cursor", request->cursor)) != OK) ||
		(*request->user && (err = check_uuid(call, "user", request->user)) != OK))
		return err;
	return db_page(call, request->newest ? &list->newest : &list->oldest, reply, request->limit,
		ARRAY_LEN(params), params);
}
