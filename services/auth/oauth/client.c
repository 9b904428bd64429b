/* client: see client.h, and the methods on clients. */
#include "services/auth/oauth/client.h"

#include "lib/access.h"
#include "lib/check.h"
#include "lib/token.h"
#include "services/auth/authority.h"
#include "services/auth/oauth/apps.h"
#include "services/auth/oauth/authorization.h"
#include "services/auth/oauth/oauth.h"
#include "services/auth/oauth/oauth_store.h"
#include "services/auth/oauth/redirect_uri.h"
#include "services/auth/request.h"
#include "services/auth/secret.h"
#include "services/auth/store.h"

#include <string.h>

#define REDIRECT_URIS_MAX 16

/* ---- finding ---- */

err_t client_find(struct call *call, const char *client_id, struct client *client, bool *found)
{
	err_t err;

	*client = (struct client){ AUTH__OAUTH_CLIENT__INIT, "" };
	*found = app_find(client_id, &client->is);
	if (*found)
		return OK;
	err = store_client_find(call, client_id, &client->is, &client->digest);
	*found = err == OK;
	return err == ERR_NOT_FOUND ? OK : err;
}

static bool is_secret_right(
	struct call *call, const struct client *client, const char *user, const char *password)
{
	struct secret secret;

	return strcmp(user, client->is.client_id) == 0 &&
	       secret_read(KEYRING_CLIENT_SECRET, password, NULL, &secret) &&
	       strcmp(secret.tenant, call->tenant) == 0 && secret_matches(&secret, client->digest);
}

err_t client_authenticate(struct call *call, const char *client_id, const char *basic_user,
	const char *basic_password, struct client *client, struct oauth_error *error)
{
	const char *id = *client_id ? client_id : basic_user;
	bool found;
	err_t err = client_find(call, id, client, &found);

	if (err != OK)
		return err;
	if (!found)
		*error = (struct oauth_error){ "invalid_client",
			"client does not exist with this \"client_id\"" };
	else if (*client->digest && !is_secret_right(call, client, basic_user, basic_password))
		*error = (struct oauth_error){ "invalid_client",
			"invalid credentials (expected HTTP Basic with the client's secret)" };
	return OK;
}

static bool has_scope(const struct client *client, const char *scope, size_t len)
{
	for (size_t i = 0; i < client->is.n_scopes; i++)
		if (strlen(client->is.scopes[i]) == len &&
			memcmp(client->is.scopes[i], scope, len) == 0)
			return true;
	return false;
}

bool client_read_scopes(struct call *call, const struct client *client, const char *text,
	char ***scopes, size_t *n_scopes)
{
	*scopes = arena_alloc(call->arena, TOKEN_SCOPES_MAX * sizeof(**scopes));
	*n_scopes = 0;
	for (const char *at = text; *at != '\0';) {
		size_t len = strcspn(at, " ");

		if (*n_scopes == TOKEN_SCOPES_MAX || !has_scope(client, at, len))
			return false;
		(*scopes)[(*n_scopes)++] = arena_strndup(call->arena, at, len);
		at += len;
		if (*at == ' ')
			at++;
	}
	return *n_scopes > 0;
}

/* ---- the methods ---- */

static err_t check_redirect_uris(struct call *call, const Auth__CreateOauthClientRequest *request)
{
	if (request->n_redirect_uris > REDIRECT_URIS_MAX)
		return call_refuse(call, ERR_INVALID_ARGUMENT, "redirect_uris",
			"expected at most %d", REDIRECT_URIS_MAX);
	for (size_t i = 0; i < request->n_redirect_uris; i++)
		if (!redirect_uri_allowed(request->redirect_uris[i]))
			return call_refuse(call, ERR_INVALID_ARGUMENT, "redirect_uris",
				"expected https://..., http://127.0.0.1:{PORT}/..., "
				"http://[::1]:{PORT}/... or an app's own org.example.app:/...");
	return OK;
}

static err_t check_scopes(struct call *call, const Auth__CreateOauthClientRequest *request)
{
	if (request->n_scopes > TOKEN_SCOPES_MAX)
		return call_refuse(call, ERR_INVALID_ARGUMENT, "scopes", "expected at most %d",
			TOKEN_SCOPES_MAX);
	for (size_t i = 0; i < request->n_scopes; i++)
		if (!access_scope_known(request->scopes[i]))
			return call_refuse(
				call, ERR_INVALID_ARGUMENT, "scopes", "expected known scopes");
	return OK;
}

/* Nobody is asked: such a client acts as whoever follows a link, so also as an owner. */
static err_t check_trusted(struct call *call, const Auth__CreateOauthClientRequest *request)
{
	err_t err = request->trusted ? authority_over_role(call, "owner") : OK;

	if (err != ERR_PERMISSION_DENIED)
		return err;
	return call_refuse(call, err, "trusted",
		"only an owner makes a client that people are not asked about");
}

static err_t check_create(struct call *call, const Auth__CreateOauthClientRequest *request)
{
	Auth__OauthClient app = AUTH__OAUTH_CLIENT__INIT;
	err_t err;

	if ((err = check_text(call, "client_id", request->client_id, 1, TOKEN_CLIENT_MAX)) != OK ||
		(err = request_check_name(call, request->name)) != OK ||
		(err = check_redirect_uris(call, request)) != OK ||
		(err = check_scopes(call, request)) != OK ||
		(err = check_trusted(call, request)) != OK)
		return err;
	for (const char *at = request->client_id; *at != '\0'; at++)
		if (*at <= ' ' || *at > '~' || *at == ':')
			return call_refuse(call, ERR_INVALID_ARGUMENT, "client_id",
				"expected visible ASCII without a colon");
	if (app_find(request->client_id, &app))
		return call_refuse(call, ERR_ALREADY_EXISTS, "client_id",
			"%s is known already, as a published app", app.name);
	return OK;
}

err_t create_oauth_client(
	struct call *call, const Auth__CreateOauthClientRequest *request, Auth__OauthClient *reply)
{
	static char *config[] = { "config" };
	Auth__OauthClient client = AUTH__OAUTH_CLIENT__INIT;
	const char *id, *text = NULL;
	struct secret secret;
	err_t err;

	if ((err = check_create(call, request)) != OK || (err = store_new_id(call, &id)) != OK)
		return err;
	if (request->confidential)
		text = secret_create(call->arena, KEYRING_CLIENT_SECRET, call->tenant, id, &secret);
	client.id = (char *)(uintptr_t)id;
	client.client_id = request->client_id;
	client.name = request->name;
	client.n_redirect_uris = request->n_redirect_uris;
	client.redirect_uris = request->redirect_uris;
	client.n_scopes = request->n_scopes > 0 ? request->n_scopes : 1;
	client.scopes = request->n_scopes > 0 ? request->scopes : config;
	client.approval = !request->trusted;
	err = store_client_create(call, &client, text != NULL ? secret.digest : NULL, reply);
	if (err == OK && text != NULL)
		reply->client_secret = (char *)(uintptr_t)text;
	return err;
}

err_t get_oauth_client(struct call *call, const Auth__Ref *request, Auth__OauthClient *reply)
{
	err_t err = check_uuid(call, "id", request->id);

	return err == OK ? store_client_get(call, request->id, reply) : err;
}

err_t list_oauth_clients(
	struct call *call, const Auth__ListRequest *request, Auth__OauthClientList *reply)
{
	err_t err = request_check_list(call, request);

	return err == OK ? store_client_list(call, request, reply) : err;
}

err_t delete_oauth_client(struct call *call, const Auth__Ref *request, Auth__Empty *reply)
{
	Auth__OauthClient client = AUTH__OAUTH_CLIENT__INIT;
	err_t err;

	(void)reply;
	if ((err = check_uuid(call, "id", request->id)) != OK ||
		(err = store_client_get(call, request->id, &client)) != OK ||
		(err = request_check_version(call, request->version, client.version)) != OK ||
		(err = store_client_delete(call, request->id)) != OK)
		return err;
	return authorization_end_client(call, client.client_id);
}
