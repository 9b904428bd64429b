/* store_audit: see store_audit.h. Runs in the thread of the call. */
#include "services/provision/audit/store_audit.h"

#include "services/provision/store.h"

static const char *text(const char *given)
{
	return given != NULL ? given : "";
}

err_t store_audit_add(struct call *call, const char *actor, const struct audit_entry *entry)
{
	static const struct db_statement statement = {
		"INSERT INTO provision.audit (tenant_id, actor, action, subject, before, after,"
		" package, source, trace) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
	};

	return DB_QUERY(call, &statement, NULL, call->tenant, text(actor), entry->action,
		text(entry->subject), text(entry->before), text(entry->after),
		store_number(call, (unsigned)entry->package),
		entry->source != NULL ? entry->source : call->source, call->trace);
}

#define PAGE(filter)                                                                               \
	"SELECT id, fabric.rfc3339(at) AS at, actor, action, subject, before, after, package,"     \
	" source, trace FROM provision.audit WHERE tenant_id = $1 AND id > $2" filter              \
	" ORDER BY id LIMIT $3"

static const struct db_statement pages[] = { { PAGE("") }, { PAGE(" AND subject = $4") } };

err_t store_audit_list(struct call *call, const Provision__ListAuditRecordsRequest *request,
	Provision__AuditRecordList *reply)
{
	const char *params[] = { call->tenant, store_cursor(request->cursor),
		store_limit(call, request->limit), store_filter(request->subject) };

	return store_page(call, pages, &reply->base, request->limit, ARRAY_LEN(params), params);
}
