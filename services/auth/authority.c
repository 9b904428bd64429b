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

/* Reads the actor's role, and the scopes of its key or of the token that it showed;
 * PERMISSION_DENIED if it has nothing to do with the tenant. */
static err_t actor_read(struct call *call, Auth__Principal *actor)
{
	err_t err = store_authority(call, call->actor, call->tenant, actor);

	if (err == ERR_NOT_FOUND)
		return call_refuse(call, ERR_PERMISSION_DENIED, NULL, "you have no role here");
	if (err == OK && call->n_scopes > 0) {
		actor->scopes = call->scopes;
		actor->n_scopes = call->n_scopes;
	}
	return err;
}

static err_t over_owner(struct call *call, const Auth__Principal *actor, const char *role)
{
	if (strcmp(role, "owner") != 0 || strcmp(actor->role, "owner") == 0)
		return OK;
	return call_refuse(
		call, ERR_PERMISSION_DENIED, "role", "only an owner changes what owners have");
}

static err_t over_role(struct call *call, const Auth__Principal *actor, const char *role)
{
	err_t err = over_owner(call, actor, role);

	if (err != OK || access_covers(actor->role, (const char *const *)actor->scopes,
				 actor->n_scopes, role))
		return err;
	return call_refuse(call, ERR_PERMISSION_DENIED, "role",
		"expected a credential with all that the role %s may", role);
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

err_t authority_over_password(struct call *call, const char *user, const char *role)
{
	Auth__Principal actor = AUTH__PRINCIPAL__INIT;
	err_t err;

	if (is_service(call) ||
		strcmp(call->actor, arena_printf(call->arena, "user:%s", user)) == 0)
		return OK;
	err = actor_read(call, &actor);
	if (err != OK || strcmp(actor.role, "owner") == 0 ||
		!access_covers(role, NULL, 0, actor.role))
		return err;
	return call_refuse(call, ERR_PERMISSION_DENIED, "password",
		"expected a user who may less than you: only an owner sets the password of another "
		"%s",
		role);
}

err_t authority_of_fleet(struct call *call, bool *fleet)
{
	Auth__Principal actor = AUTH__PRINCIPAL__INIT;
	err_t err = OK;

	if (!is_service(call))
		err = store_authority(call, call->actor, FLEET_TENANT, &actor);
	*fleet = err == OK;
	return err == ERR_NOT_FOUND ? OK : err;
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
	err_t err;

	if (is_service(call))
		return OK;
	if ((err = actor_read(call, &actor)) != OK || (err = over_owner(call, &actor, role)) != OK)
		return err;
	return over_scopes(call, &actor, n_scopes, scopes);
}
