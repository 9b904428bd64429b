/*
 * invitation: the methods of proto/invitation.proto, and their SQL on auth.invitation. As
 * services/auth/handlers.h and store.h.
 */
#pragma once

#include "lib/call.h"
#include "lib/db.h"
#include "proto/invitation.pb-c.h"

/* Forgets those that were accepted or expired long ago. A task. */
err_t invitation_purge(struct call *call) MUST_CHECK;

/* ---- invitation.c ---- */
err_t create_invitation(struct call *call, const Auth__CreateInvitationRequest *request,
	Auth__Invitation *reply) MUST_CHECK;
err_t get_invitation(
	struct call *call, const Auth__Ref *request, Auth__Invitation *reply) MUST_CHECK;
err_t list_invitations(struct call *call, const Auth__ListRequest *request,
	Auth__InvitationList *reply) MUST_CHECK;
err_t delete_invitation(struct call *call, const Auth__Ref *request, Auth__Empty *reply) MUST_CHECK;

/* ---- accept.c ---- */
err_t check_invitation(struct call *call, const Auth__InvitationSecret *request,
	Auth__InvitationOffer *reply) MUST_CHECK;
err_t accept_invitation(struct call *call, const Auth__AcceptInvitationRequest *request,
	Auth__User *reply) MUST_CHECK;

/* ---- store_invitation.c ---- */

struct store_invitation {
	const char *id, *name, *role, *site, *digest;
	unsigned life_s;
};
/* Takes the place of one for the same name that is not open. ALREADY_EXISTS (name). */
err_t store_invitation_create(struct call *call, const struct store_invitation *invitation,
	Auth__Invitation *reply) MUST_CHECK;
err_t store_invitation_get(struct call *call, const char *id, Auth__Invitation *reply) MUST_CHECK;
err_t store_invitation_list(struct call *call, const Auth__ListRequest *request,
	Auth__InvitationList *reply) MUST_CHECK;
err_t store_invitation_delete(struct call *call, const char *id) MUST_CHECK;
/* One row or none, locked: name, role, digest (hex), tenant_name; of one that is open. */
err_t store_invitation_find(struct call *call, const char *id, struct db_rows **rows) MUST_CHECK;
err_t store_invitation_accepted(struct call *call, const char *id) MUST_CHECK;
/* The named site of the tenant, or (name "") its first one; "" if there is none. */
err_t store_invitation_site(struct call *call, const char *name, const char **site) MUST_CHECK;
err_t store_invitation_purge(struct call *call) MUST_CHECK;
