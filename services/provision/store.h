/*
 * store: all SQL of provision, on the tables of db/migrations/0003_provision.sql. Each function
 * runs in the call's transaction and sees the rows of call->tenant; ids were checked by the caller.
 * Those that name one thing refuse an unknown id with NOT_FOUND. Messages are filled in the call's
 * arena.
 */
#pragma once

#include "lib/call.h"
#include "lib/db.h"
#include "proto/event.pb-c.h"
#include "proto/provision.pb-c.h"

/* ---- what every list has (store.c) ---- */

const char *store_cursor(const char *cursor);		    /* "" is the beginning */
const char *store_limit(struct call *call, unsigned limit); /* as db_page wants it */
const char *store_filter(const char *text);		    /* "" is SQL NULL: all */

/* As parameters of a statement. */
const char *store_number(struct call *call, unsigned number);
const char *store_bool(bool value);

/*
 * db_page with one statement for each filter, so that each has a plan and an index of its own: a
 * single one is planned for any filters at all, and scans the whole tenant. The params are tenant,
 * cursor and limit, then the filters. pages[i] takes those up to the i-th filter, which is not NULL
 * then while the ones before it may be; the last filter that is given decides.
 */
err_t store_page(struct call *call, const struct db_statement pages[], ProtobufCMessage *list,
	unsigned limit, size_t n, const char *const params[]) MUST_CHECK;

/* ---- networks (store_network.c) ---- */

/* ALREADY_EXISTS (name), FAILED_PRECONDITION (ipv4, ipv6: overlaps another network). `ipv4` may be
 * empty. */
err_t store_network_create(
	struct call *call, const Provision__Network *network, Provision__Network *reply) MUST_CHECK;
err_t store_network_get(struct call *call, const char *id, Provision__Network *reply) MUST_CHECK;
err_t store_network_list(struct call *call, const Provision__ListRequest *request,
	Provision__NetworkList *reply) MUST_CHECK;
/* As get, and nobody else changes, fills or deletes the network until the transaction ends. */
err_t store_network_lock(struct call *call, const char *id, Provision__Network *reply) MUST_CHECK;
/* Writes the MTU and the rules of network->id. */
err_t store_network_update(
	struct call *call, const Provision__Network *network, Provision__Network *reply) MUST_CHECK;
err_t store_network_count_members(struct call *call, const char *id, long long *n) MUST_CHECK;
err_t store_network_delete(struct call *call, const char *id) MUST_CHECK;

/* ---- devices (store_device.c) ---- */

/* Of `device`: name, state, tags, enrolment_key. ALREADY_EXISTS (name). */
err_t store_device_create(
	struct call *call, const Provision__Device *device, Provision__Device *reply) MUST_CHECK;
err_t store_device_get(struct call *call, const char *id, Provision__Device *reply) MUST_CHECK;
err_t store_device_list(struct call *call, const Provision__ListRequest *request,
	Provision__DeviceList *reply) MUST_CHECK;
/* As get, and nobody else changes the device or attaches it until the transaction ends. */
err_t store_device_lock(struct call *call, const char *id, Provision__Device *reply) MUST_CHECK;
/* ALREADY_EXISTS (name). */
err_t store_device_update(struct call *call, const char *id, const char *name, const char *state,
	Provision__Device *reply) MUST_CHECK;
/* Notes that the device has attached now, at most once a minute. */
err_t store_device_attached(struct call *call, const char *id) MUST_CHECK;

/* ---- members (store_member.c) ---- */

/* Takes a free host number of the network; RESOURCE_EXHAUSTED (network: full). */
err_t store_host_take(struct call *call, const char *network, const char **host) MUST_CHECK;

/* Admits the device with a free host number. NOT_FOUND (network), ALREADY_EXISTS (device: it is a
 * member), RESOURCE_EXHAUSTED (network: full), ABORTED (another member has this MAC address). */
err_t store_member_create(struct call *call, const char *network, const char *device,
	const char *mac, Provision__Member *reply) MUST_CHECK;
err_t store_member_get(struct call *call, const char *id, Provision__Member *reply) MUST_CHECK;
err_t store_member_list(struct call *call, const Provision__ListRequest *request,
	Provision__MemberList *reply) MUST_CHECK;
/* As get, and nobody else changes or deletes the member until the transaction ends. */
err_t store_member_lock(struct call *call, const char *id, Provision__Member *reply) MUST_CHECK;
/* Writes MAC address and policy of member->id. ALREADY_EXISTS (mac). */
err_t store_member_update(
	struct call *call, const Provision__Member *member, Provision__Member *reply) MUST_CHECK;

/*
 * The rows of these four have the columns of event.Member, one row a member. A member counts as
 * removed when it is gone or its device isn't approved.
 */
err_t store_member_event(struct call *call, const char *id, struct db_rows **rows) MUST_CHECK;
/* Raises the version of all members of a device. */
err_t store_member_touch(struct call *call, const char *device, struct db_rows **rows) MUST_CHECK;
/* Deletes one member, or all of a device, and frees their host numbers. */
err_t store_member_delete(struct call *call, const char *id, struct db_rows **rows) MUST_CHECK;
err_t store_member_delete_all(
	struct call *call, const char *device, struct db_rows **rows) MUST_CHECK;

/* The networks of a device, two at most, with the columns of Attachment and of SignTokenRequest:
 * the one with this id or name, or any if `network` is empty. */
err_t store_member_attachments(struct call *call, const char *device, const char *network,
	struct db_rows **rows) MUST_CHECK;
