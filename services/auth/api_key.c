/*
 * api_key: machine access to the REST API, with a role and, if wanted, only some of its scopes.
 * Runs in the thread of the call.
 */
#include "services/auth/api_key.h"

#include "lib/access.h"
#include "lib/check.h"
#include "services/auth/authority.h"
#include "services/auth/handlers.h"
#include "services/auth/request.h"
#include "services/auth/revocation.h"
#include "services/auth/secret.h"
#include "services/auth/store.h"
#include "services/auth/user.h"

err_t api_key_create(
	struct call *call, const Auth__CreateApiKeyRequest *request, Auth__ApiKey *reply)
{
	Auth__ApiKey key = AUTH__API_KEY__INIT;
	struct secret secret;
	const char *id, *text;
	err_t err = store_new_id(call, &id);

	if (err != OK)
		return err;
	text = secret_create(call->arena, KEYRING_API_KEY, call->tenant, id, &secret);
	key.id = secret.id;
	key.name = request->name;
	key.role = request->role;
	key.n_scopes = request->n_scopes;
	key.scopes = request->scopes;
	err = store_api_key_create(call, &key, request->expires_in_s, secret.digest, reply);
	reply->secret = (char *)(uintptr_t)text;
	return err;
}

static err_t check_scopes(struct call *call, const Auth__CreateApiKeyRequest *request)
{
	for (size_t i = 0; i < request->n_scopes; i++)
		if (!access_allows(request->role, NULL, 0, request->scopes[i]))
			return call_refuse(call, ERR_INVALID_ARGUMENT, "scopes",
				"expected scopes of the role %s", request->role);
	return OK;
}

err_t create_api_key(
	struct call *call, const Auth__CreateApiKeyRequest *request, Auth__ApiKey *reply)
{
	err_t err;

	if ((err = request_check_name(call, request->name)) != OK ||
		(err = check_word(call, "role", request->role, user_roles)) != OK ||
		(err = check_scopes(call, request)) != OK ||
		(err = authority_over_key(
			 call, request->role, request->n_scopes, request->scopes)) != OK)
		return err;
	return api_key_create(call, request, reply);
}

err_t get_api_key(struct call *call, const Auth__Ref *request, Auth__ApiKey *reply)
{
	err_t err = check_uuid(call, "id", request->id);

	return err == OK ? store_api_key_get(call, request->id, reply) : err;
}

err_t list_api_keys(struct call *call, const Auth__ListRequest *request, Auth__ApiKeyList *reply)
{
	err_t err = request_check_list(call, request);

	return err == OK ? store_api_key_list(call, request, reply) : err;
}

err_t delete_api_key(struct call *call, const Auth__Ref *request, Auth__Empty *reply)
{
	Auth__ApiKey key = AUTH__API_KEY__INIT;
	err_t err;

	(void)reply;
	if ((err = get_api_key(call, request, &key)) != OK ||
		(err = request_check_version(call, request->version, key.version)) != OK ||
		(err = authority_over_key(call, key.role, key.n_scopes, key.scopes)) != OK ||
		(err = store_api_key_delete(call, key.id)) != OK)
		return err;
	return revocation_publish(
		call, arena_printf(call->arena, "api_key:%s", key.id), "the API key was deleted");
}
