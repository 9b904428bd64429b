/* store_audit: the SQL of db/migrations/0014_audit.sql. The rules are those of store.h. */
#pragma once

#include "lib/db.h"
#include "services/provision/audit/audit.h"

err_t store_audit_add(
	struct call *call, const char *actor, const struct audit_entry *entry) MUST_CHECK;
err_t store_audit_list(struct call *call, const Provision__ListAuditRecordsRequest *request,
	Provision__AuditRecordList *reply) MUST_CHECK;
