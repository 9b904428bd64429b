/* authority: see authority.h. */
#include "services/auth/authority.h"

#include "lib/access.h"
#include "services/auth/store.h"

#include <stdbool.h>
#include <string.h>

static bool is_service(const struct call *call)
{
	return strncmp(call->actor, "service:", strlen("service:")) == 0;
}

/* Reads the actor's own role and scopes; PERMISSION_DENIED if it has nothing to do with the tenant.
 */
static err_t actor_read(struct call *call, Auth__Principal *actor)
{
	err_t err = store_authority(call, call->actor, actor);

	if (err != ERR_NOT_FOUND)
		return err;
	return call_refuse(call, ERR_PERMISSION_DENIED, NULL, "you have no role here");
}

static err_t over_role(struct call *call, const Auth__Principal *actor, const char *role)
{
	if (strcmp(role, "owner") != 0 || strcmp(actor->role, "owner") == 0)
		return OK;
	return call_refuse(
		call, ERR_PERMISSION_DENIED, "role", "only an owner changes what owners have");
}

err_t authority_over_role(struct call *call, const char *role)
{
	Auth__Principal actor = AUTH__PRINCIPAL__INIT;
	err_t err;

	if (is_service(call))
		return OK;
	err = actor_read(call, &actor);
	return err == OK ? over_role(call, &actor, role) : err;
}

static err_t scopes_of_role(
	struct call *call, const char *role, size_t n_scopes, char *const scopes[])
{
	for (size_t i = 0; i < n_scopes; i++)
		if (!access_allows(role, NULL, 0, scopes[i]))
			return call_refuse(call, ERR_INVALID_ARGUMENT, "scopes",
				"expected scopes of the role %s", role);
	return OK;
}

static err_t over_scopes(
	struct call *call, const Auth__Principal *actor, size_t n_scopes, char *const scopes[])
{
	bool allowed = n_scopes > 0 || actor->n_scopes == 0;

	for (size_t i = 0; allowed && i < n_scopes; i++)
		allowed = access_allows(actor->role, (const char *const *)actor->scopes,
			actor->n_scopes, scopes[i]);
	if (allowed)
		return OK;
	return call_refuse(
		call, ERR_PERMISSION_DENIED, "scopes", "expected some of the scopes you have");
}

err_t authority_over_key(struct call *call, const char *role, size_t n_scopes, char *const scopes[])
{
	Auth__Principal actor = AUTH__PRINCIPAL__INIT;
	err_t err = scopes_of_role(call, role, n_scopes, scopes);

	if (err != OK || is_service(call))
		return err;
	if ((err = actor_read(call, &actor)) != OK || (err = over_role(call, &actor, role)) != OK)
		return err;
	return over_scopes(call, &actor, n_scopes, scopes);
}
