/*
 * account: who somebody at a provider is here. A person who comes for the first time becomes a new
 * user; nobody ever becomes a user that is there already, by having its name elsewhere. Runs in the
 * thread of the call.
 */
#include "services/auth/provider/provider.h"

#include "services/auth/group/group.h"
#include "services/auth/store.h"
#include "services/auth/user.h"

#include <string.h>

/* The role that the provider's groups give; "" if none does. */
static const char *role_of(const Auth__IdentityProvider *provider, const struct id_token *token)
{
	for (size_t i = 0; i < provider->n_roles; i++)
		for (size_t j = 0; j < token->n_groups; j++)
			if (strcmp(provider->roles[i]->group, token->groups[j]) == 0)
				return provider->roles[i]->role;
	return provider->default_role;
}

/* Who registered the provider need be no owner, so one that makes none unmakes none. */
static bool speaks_of_owners(const Auth__IdentityProvider *provider)
{
	bool speaks = strcmp(provider->default_role, "owner") == 0;

	for (size_t i = 0; i < provider->n_roles; i++)
		speaks = speaks || strcmp(provider->roles[i]->role, "owner") == 0;
	return speaks;
}

static err_t make(struct call *call, const Auth__IdentityProvider *provider,
	const struct id_token *token, const char *role, const char **user, const char **wrong)
{
	Auth__User made = AUTH__USER__INIT;
	bool taken;
	err_t err;

	if (*token->user == '\0') {
		*wrong = "Your identity provider did not tell your user name.";
		return OK;
	}
	if ((err = store_user_name_taken(call, token->user, &taken)) != OK)
		return err;
	if (taken) {
		*wrong = "There is another user with your name here already.";
		return OK;
	}
	if ((err = user_make(call, token->user, role, &made)) != OK)
		return err;
	*user = made.id;
	return store_identity_create(call, provider->issuer, token->subject, made.id);
}

err_t account_user(struct call *call, const Auth__IdentityProvider *provider,
	const struct id_token *token, const char **user, const char **wrong)
{
	const char *role = role_of(provider, token);
	bool left;
	err_t err;

	*wrong = NULL;
	if (*role == '\0') {
		*wrong = "You are in no group that may sign in here.";
		return OK;
	}
	if ((err = store_identity_find(call, provider->issuer, token->subject, user)) != OK)
		return err;
	if (**user == '\0')
		err = make(call, provider, token, role, user, wrong);
	else if (*provider->group_claim)
		err = user_take_role(call, *user, role, speaks_of_owners(provider));
	if (err != OK || *wrong != NULL || *provider->group_claim == '\0')
		return err;
	err = store_identity_groups(call, *user, token->n_groups, token->groups, &left);
	return err == OK && left ? group_left(call, *user) : err;
}
