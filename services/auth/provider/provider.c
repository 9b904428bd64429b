/*
 * provider: identity providers are registered, seen and taken away. Runs in the thread of the call.
 */
#include "services/auth/provider/provider.h"

#include "lib/check.h"
#include "lib/keyring.h"
#include "services/auth/authority.h"
#include "services/auth/request.h"
#include "services/auth/user.h"

#include <string.h>

#define ISSUER_MAX 512
#define TEXT_MAX   128
#define SECRET_MAX 512
#define ROLES_MAX  64

static const char *const default_roles[] = { "", "owner", "admin", "operator", "auditor", "member",
	NULL };

/* OpenID Connect Discovery 1.0 section 2: https, without query and fragment. */
static err_t check_issuer(struct call *call, const char *issuer)
{
	size_t len = strnlen(issuer, ISSUER_MAX + 1);

	if (len > ISSUER_MAX || strncmp(issuer, "https://", 8) != 0 || len == 8 ||
		strpbrk(issuer, "?#@ \\\"") != NULL ||
		check_text(call, "issuer", issuer, 1, ISSUER_MAX) != OK)
		return call_refuse(call, ERR_INVALID_ARGUMENT, "issuer",
			"expected the https URL that the provider calls itself by");
	return OK;
}

/* Who registers a provider, or takes it away, could be all that it makes of people. */
static err_t check_authority(
	struct call *call, const char *default_role, size_t n, Auth__GroupRole *const roles[])
{
	err_t err = *default_role ? authority_over_role(call, default_role) : OK;

	for (size_t i = 0; err == OK && i < n; i++)
		err = authority_over_role(call, roles[i]->role);
	return err;
}

static err_t check_roles(struct call *call, const Auth__CreateIdentityProviderRequest *request)
{
	err_t err;

	if (request->n_roles > ROLES_MAX || (request->n_roles > 0 && *request->group_claim == '\0'))
		return call_refuse(call, ERR_INVALID_ARGUMENT, "roles",
			"expected at most %d, and a group_claim that tells the groups", ROLES_MAX);
	if ((err = check_word(call, "default_role", request->default_role, default_roles)) != OK)
		return err;
	for (size_t i = 0; i < request->n_roles; i++)
		if ((err = check_text(call, "group", request->roles[i]->group, 1, TEXT_MAX)) !=
				OK ||
			(err = check_word(call, "role", request->roles[i]->role, user_roles)) != OK)
			return err;
	return check_authority(call, request->default_role, request->n_roles, request->roles);
}

err_t create_identity_provider(struct call *call,
	const Auth__CreateIdentityProviderRequest *request, Auth__IdentityProvider *reply)
{
	Auth__CreateIdentityProviderRequest wanted = *request;
	Auth__IdentityProvider made = AUTH__IDENTITY_PROVIDER__INIT;
	err_t err;

	if (*wanted.user_claim == '\0')
		wanted.user_claim = "preferred_username";
	if ((err = request_check_name(call, request->name)) != OK ||
		(err = check_issuer(call, request->issuer)) != OK ||
		(err = check_text(call, "client_id", request->client_id, 1, TEXT_MAX)) != OK ||
		(err = check_text(call, "client_secret", request->client_secret, 0, SECRET_MAX)) !=
			OK ||
		(err = check_text(call, "user_claim", wanted.user_claim, 1, TEXT_MAX)) != OK ||
		(err = check_text(call, "group_claim", request->group_claim, 0, TEXT_MAX)) != OK ||
		(err = check_roles(call, request)) != OK ||
		(err = store_provider_create(call, &wanted,
			 keyring_seal(call->arena, KEYRING_PROVIDER, request->client_secret),
			 &made)) != OK)
		return err;
	return store_provider_get(call, made.id, reply, NULL);
}

err_t get_identity_provider(
	struct call *call, const Auth__Ref *request, Auth__IdentityProvider *reply)
{
	err_t err = check_uuid(call, "id", request->id);

	return err == OK ? store_provider_get(call, request->id, reply, NULL) : err;
}

err_t list_identity_providers(
	struct call *call, const Auth__ListRequest *request, Auth__IdentityProviderList *reply)
{
	err_t err = request_check_list(call, request);

	return err == OK ? store_provider_list(call, request, reply) : err;
}

err_t delete_identity_provider(struct call *call, const Auth__Ref *request, Auth__Empty *reply)
{
	Auth__IdentityProvider provider = AUTH__IDENTITY_PROVIDER__INIT;
	err_t err;

	(void)reply;
	if ((err = get_identity_provider(call, request, &provider)) != OK ||
		(err = request_check_version(call, request->version, provider.version)) != OK ||
		(err = check_authority(
			 call, provider.default_role, provider.n_roles, provider.roles)) != OK)
		return err;
	return store_provider_delete(call, request->id);
}
