/* store_notice: the SQL of notices; see store_profile.h. Runs in the thread of the call. */
#include "services/provision/profile/store_profile.h"

#define COLUMNS                                                                                    \
	"id, kind, user_id AS user, message, translations, fabric.rfc3339(begins_at) AS "          \
	"begins_at,"                                                                               \
	" fabric.rfc3339(ends_at) AS ends_at, fabric.rfc3339(created_at) AS created_at, version"

err_t store_notice_create(
	struct call *call, const Provision__CreateNoticeRequest *notice, Provision__Notice *reply)
{
	static const struct db_statement statement = {
		"INSERT INTO provision.notice"
		" (tenant_id, user_id, kind, message, translations, begins_at, ends_at)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING " COLUMNS
	};
	const char *params[] = { call->tenant, store_filter(notice->user), notice->kind,
		notice->message,
		db_array(call->arena, notice->n_translations, notice->translations),
		store_filter(notice->begins_at), store_filter(notice->ends_at) };

	return db_one(call, &statement, &reply->base, "notice", ARRAY_LEN(params), params);
}

err_t store_notice_get(struct call *call, const char *id, Provision__Notice *reply)
{
	static const struct db_statement statement = {
		"SELECT " COLUMNS " FROM provision.notice WHERE tenant_id = $1 AND id = $2"
	};
	const char *params[] = { call->tenant, id };

	return db_one(call, &statement, &reply->base, "notice", ARRAY_LEN(params), params);
}

err_t store_notice_tell(struct call *call, const char *user, const char *message)
{
	static const struct db_statement statement = {
		"INSERT INTO provision.notice (tenant_id, user_id, kind, message, translations)"
		" SELECT $1, $2, 'notification', $3, '{}' WHERE $3 IS DISTINCT FROM"
		" (SELECT message FROM provision.notice WHERE tenant_id = $1 AND user_id = $2"
		" ORDER BY id DESC LIMIT 1)"
	};

	return DB_QUERY(call, &statement, NULL, call->tenant, user, message);
}

#define PAGE(filter)                                                                               \
	"SELECT " COLUMNS " FROM provision.notice"                                                 \
	" WHERE tenant_id = $1 AND id > $2 AND user_id" filter " ORDER BY id LIMIT $3"

static const struct db_statement pages[] = { { PAGE(" IS NULL") }, { PAGE(" = $4") } };

err_t store_notice_list(struct call *call, const Provision__ListNoticesRequest *request,
	Provision__NoticeList *reply)
{
	const char *params[] = { call->tenant, store_cursor(request->cursor),
		store_limit(call, request->limit), store_filter(request->user) };

	return store_page(call, pages, &reply->base, request->limit, ARRAY_LEN(params), params);
}

err_t store_notice_delete(struct call *call, const char *id)
{
	static const struct db_statement statement = {
		"DELETE FROM provision.notice WHERE tenant_id = $1 AND id = $2"
	};

	return DB_QUERY(call, &statement, NULL, call->tenant, id);
}

#define SHOWN_MAX "50"
#define CURRENT(filter)                                                                            \
	"SELECT " COLUMNS " FROM provision.notice WHERE tenant_id = $1 AND user_id" filter         \
	" AND (ends_at IS NULL OR ends_at > now()) ORDER BY id DESC LIMIT " SHOWN_MAX

err_t store_notice_current(struct call *call, const char *user, Provision__NoticeList *reply)
{
	static const struct db_statement everybody = { CURRENT(" IS NULL") };
	static const struct db_statement one = { CURRENT(" = $2") };
	const char *params[] = { call->tenant, user };

	return db_page(call, user == NULL ? &everybody : &one, &reply->base, 0,
		user == NULL ? 1 : 2, params);
}

err_t store_notice_forget(struct call *call)
{
	static const struct db_statement statement = {
		"DELETE FROM provision.notice"
		" WHERE user_id IS NOT NULL AND created_at < now() - interval '32 days'"
	};

	return db_query(call, &statement, NULL, 0, NULL);
}
