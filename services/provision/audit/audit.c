/* audit: see audit.h. Runs in the thread of the call. */
#include "services/provision/audit/audit.h"

#include "lib/check.h"
#include "services/provision/audit/store_audit.h"

err_t audit_write(struct call *call, const struct audit_entry *entry)
{
	const char *actor = entry->device != NULL
				    ? arena_printf(call->arena, "device:%s", entry->device)
				    : call->actor;

	return store_audit_add(call, actor, entry);
}

err_t list_audit_records(struct call *call, const Provision__ListAuditRecordsRequest *request,
	Provision__AuditRecordList *reply)
{
	err_t err;

	if (*request->cursor != '\0' && (err = check_uuid(call, "cursor", request->cursor)) != OK)
		return err;
	if (*request->subject != '\0' &&
		(err = check_uuid(call, "subject", request->subject)) != OK)
		return err;
	return store_audit_list(call, request, reply);
}
