/* store: what the files store_*.c share; see store.h. Runs in the thread of the call. */
#include "services/auth/store.h"

err_t store_new_id(struct call *call, const char **id)
{
	static const struct db_statement statement = { "SELECT fabric.uuid7() AS id" };
	AUTO_ROWS rows = NULL;
	err_t err = db_query(call, &statement, &rows, 0, NULL);

	if (err == OK)
		*id = arena_strdup(call->arena, db_text(rows, 0, "id"));
	return err;
}

const char *store_cursor(const Auth__ListRequest *request)
{
	return *request->cursor ? request->cursor : "00000000-0000-0000-0000-000000000000";
}

const char *store_limit(struct call *call, const Auth__ListRequest *request)
{
	return store_number(call, db_page_limit(request->limit) + 1LL);
}

const char *store_number(struct call *call, long long number)
{
	return arena_printf(call->arena, "%lld", number);
}

err_t store_name_taken(struct call *call, err_t err, const char *what, const char *name)
{
	if (err != ERR_ALREADY_EXISTS)
		return err;
	return call_refuse(call, err, "name", "there is %s %s already", what, name);
}
