/*
 * federation: the other sites whose people a tenant lets in, the methods of proto/federation.proto,
 * and the guests who come from there. Runs in the thread of the call.
 */
#pragma once

#include "lib/call.h"
#include "proto/federation.pb-c.h"
#include "proto/oauth.pb-c.h"

#define GUEST_ROLE "member" /* of the users whom guests become */

err_t get_federation(
	struct call *call, const Auth__Empty *request, Auth__Federation *reply) MUST_CHECK;
err_t set_federation(
	struct call *call, const Auth__FederationList *request, Auth__Federation *reply) MUST_CHECK;
err_t delete_federation(struct call *call, const Auth__Ref *request, Auth__Empty *reply) MUST_CHECK;

/* ---- guest.c ---- */

/* Fills the reply if the token is of a site that is trusted; else it stays as it is. A person who
 * comes for the first time becomes a user. */
err_t guest_examine(struct call *call, const char *token, Auth__Introspection *reply) MUST_CHECK;

/* Removes the guests of hosts that are not trusted any more. */
err_t guest_end_strangers(struct call *call) MUST_CHECK;

/* A task: removes guests who have not come for long. */
err_t guest_purge(struct call *call) MUST_CHECK;
