/*
 * store: the SQL of the names of members: table dns.name. Rows hold names without the
 * zone. Every function runs in the call's transaction.
 */
#pragma once

#include "lib/call.h"
#include "lib/err.h"
#include "proto/dns.pb-c.h"
#include "proto/event.pb-c.h"

/* Adds the member's name, or moves it to what it is now. Another member that still has the same
 * name loses it: events come in the order of the changes, so the later one is right. */
err_t store_put(struct call *call, const Event__Member *member, const char *relative) MUST_CHECK;

/* Removes the member's name if it has one. */
err_t store_remove(struct call *call, const char *member) MUST_CHECK;

err_t store_get(struct call *call, const char *zone, const char *id, Dns__Name *name) MUST_CHECK;

/* A page of names; `relative` NULL: all, else the one with that name. */
err_t store_list(struct call *call, const char *zone, const Dns__ListRequest *request,
	const char *relative, Dns__NameList *list) MUST_CHECK;
