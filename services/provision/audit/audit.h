/*
 * audit: writes down who did what to whom, in the call's transaction, and lists it. The table
 * takes records and gives them; nothing changes or removes one.
 */
#pragma once

#include "lib/call.h"
#include "proto/audit.pb-c.h"

/* What is not set is empty. Who did it is the call's actor, unless it was a device. */
struct audit_entry {
	const char *action;
	const char *subject;
	const char *before, *after;
	const char *device; /* that did it by itself */
	const char *source; /* address of who did it, unless it is the call's */
	int package;
};

err_t audit_write(struct call *call, const struct audit_entry *entry) MUST_CHECK;

/* AUDIT(call, "device.retired", .subject = id): OK or an error. */
#define AUDIT(call, what, ...)                                                                     \
	audit_write(call, &(const struct audit_entry){ .action = what, __VA_ARGS__ })

/* The rpc. */
err_t list_audit_records(struct call *call, const Provision__ListAuditRecordsRequest *request,
	Provision__AuditRecordList *reply) MUST_CHECK;
