/*
 * names: keeps the name of each member, from event "member" of provision, and answers the methods
 * of proto/dns.proto.
 */
#pragma once

#include "lib/call.h"
#include "lib/err.h"
#include "proto/dns.pb-c.h"
#include "proto/event.pb-c.h"

/* Names of tenants by their ids, as auth told them; they never change, so they are never asked for
 * twice. Belongs to the thread of events; starts zeroed. */
struct names_tenants {
	void *tree; /* of struct tenant, by tsearch(3) */
};

/* Brings the name of the event's member up to date. An event that can't be right is logged and
 * passed over, as it would hold up all that come after it. */
err_t names_apply(
	struct names_tenants *tenants, struct call *call, const Event__Member *member) MUST_CHECK;
void names_tenants_finish(struct names_tenants *tenants);

err_t names_get(
	const char *zone, struct call *call, const Dns__Ref *request, Dns__Name *name) MUST_CHECK;
err_t names_list(const char *zone, struct call *call, const Dns__ListRequest *request,
	Dns__NameList *list) MUST_CHECK;
