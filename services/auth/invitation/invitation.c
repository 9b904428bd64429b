/* invitation: links that are made, seen and taken back. Runs in the thread of the call. */
#include "services/auth/invitation/invitation.h"

#include "lib/check.h"
#include "services/auth/authority.h"
#include "services/auth/request.h"
#include "services/auth/secret.h"
#include "services/auth/store.h"
#include "services/auth/user.h"

#define DAY_S	   (24U * 3600)
#define LIFE_S	   (7 * DAY_S)
#define LIFE_MAX_S (30 * DAY_S)
#define SITE_MAX   253 /* bytes, RFC 1035 */

err_t invitation_purge(struct call *call)
{
	return store_invitation_purge(call);
}

static err_t check_new(struct call *call, const Auth__CreateInvitationRequest *request)
{
	bool taken = false;
	err_t err;

	if ((err = request_check_name(call, request->name)) != OK ||
		(err = check_word(call, "role", request->role, user_roles)) != OK ||
		(err = check_text(call, "site", request->site, 0, SITE_MAX)) != OK)
		return err;
	if (request->expires_in_s > LIFE_MAX_S)
		return call_refuse(call, ERR_INVALID_ARGUMENT, "expires_in_s",
			"expected at most %u", LIFE_MAX_S);
	if ((err = authority_over_role(call, request->role)) != OK ||
		(err = store_user_name_taken(call, request->name, &taken)) != OK)
		return err;
	return taken ? store_name_taken(call, ERR_ALREADY_EXISTS, "a user", request->name) : OK;
}

static err_t find_site(struct call *call, const char *name, const char **site)
{
	err_t err = store_invitation_site(call, name, site);

	if (err != OK || **site != '\0')
		return err;
	return call_refuse(call, ERR_FAILED_PRECONDITION, "site",
		"expected a site of the tenant: %s", *name ? "this is none" : "it has none yet");
}

err_t create_invitation(
	struct call *call, const Auth__CreateInvitationRequest *request, Auth__Invitation *reply)
{
	struct store_invitation invitation = {
		.name = request->name,
		.role = request->role,
		.life_s = request->expires_in_s > 0 ? request->expires_in_s : LIFE_S,
	};
	struct secret secret;
	const char *text;
	err_t err;

	if ((err = check_new(call, request)) != OK ||
		(err = find_site(call, request->site, &invitation.site)) != OK ||
		(err = store_new_id(call, &invitation.id)) != OK)
		return err;
	text = secret_create(call->arena, KEYRING_INVITATION, call->tenant, invitation.id, &secret);
	invitation.digest = secret.digest;
	err = store_invitation_create(call, &invitation, reply);
	reply->url = arena_printf(call->arena, "/invitation?secret=%s", text);
	return err;
}

err_t get_invitation(struct call *call, const Auth__Ref *request, Auth__Invitation *reply)
{
	err_t err = check_uuid(call, "id", request->id);

	return err == OK ? store_invitation_get(call, request->id, reply) : err;
}

err_t list_invitations(
	struct call *call, const Auth__ListRequest *request, Auth__InvitationList *reply)
{
	err_t err = request_check_list(call, request);

	return err == OK ? store_invitation_list(call, request, reply) : err;
}

err_t delete_invitation(struct call *call, const Auth__Ref *request, Auth__Empty *reply)
{
	Auth__Invitation invitation = AUTH__INVITATION__INIT;
	err_t err;

	(void)reply;
	if ((err = get_invitation(call, request, &invitation)) != OK ||
		(err = request_check_version(call, request->version, invitation.version)) != OK ||
		(err = authority_over_role(call, invitation.role)) != OK)
		return err;
	return store_invitation_delete(call, request->id);
}
