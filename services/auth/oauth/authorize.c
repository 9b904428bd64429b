/*
 * authorize: the authorization endpoint: is a request of a client good, and the code for a person
 * who allows it (RFC 6749 section 4.1, RFC 7636 with S256 only). The order of the checks and their
 * words are those that apps know (contract app-api 1.5). Runs in the thread of the call.
 */
#include "services/auth/oauth/oauth.h"

#include "lib/mem.h"
#include "services/auth/oauth/client.h"
#include "services/auth/oauth/oauth_store.h"
#include "services/auth/oauth/redirect_uri.h"
#include "services/auth/oauth/sign_in.h"
#include "services/auth/secret.h"
#include "services/auth/store.h"

#include <string.h>

#define CHALLENGE_LEN 43 /* base64url of SHA-256 */
#define STATE_MAX     2048
#define BASE64URL     "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

static bool is_printable(const char *text, size_t max)
{
	size_t len = strnlen(text, max + 1);

	if (len == 0 || len > max)
		return false;
	for (size_t i = 0; i < len; i++)
		if (text[i] < ' ' || text[i] > '~')
			return false;
	return true;
}

/* scope-token of RFC 6749 section 3.3, with single blanks between them. */
static bool is_scope(const char *text)
{
	if (!is_printable(text, STATE_MAX) || text[0] == ' ' || text[strlen(text) - 1] == ' ')
		return false;
	return strpbrk(text, "\"\\") == NULL && strstr(text, "  ") == NULL;
}

static const char *missing(const Auth__AuthorizationRequest *request)
{
	const struct {
		const char *name, *value;
	} required[] = {
		{ "client_id", request->client_id },
		{ "redirect_uri", request->redirect_uri },
		{ "response_type", request->response_type },
		{ "scope", request->scope },
		{ "state", request->state },
	};

	for (size_t i = 0; i < ARRAY_LEN(required); i++)
		if (*required[i].value == '\0')
			return required[i].name;
	return NULL;
}

static struct oauth_error invalid(const char *description)
{
	return (struct oauth_error){ "invalid_request", description };
}

static struct oauth_error check_syntax(struct call *call, const Auth__AuthorizationRequest *request)
{
	const char *challenge = request->code_challenge, *absent = missing(request);

	if (absent != NULL)
		return invalid(arena_printf(call->arena, "missing \"%s\" parameter", absent));
	if (!is_printable(request->client_id, STATE_MAX))
		return invalid("invalid \"client_id\"");
	if (strcmp(request->response_type, "code") != 0)
		return (struct oauth_error){ "unsupported_response_type",
			"unsupported \"response_type\"" };
	if (!is_scope(request->scope))
		return (struct oauth_error){ "invalid_scope", "invalid \"scope\"" };
	if (!is_printable(request->state, STATE_MAX))
		return invalid("invalid \"state\"");
	if (*request->code_challenge_method && strcmp(request->code_challenge_method, "S256") != 0)
		return invalid("invalid \"code_challenge_method\"");
	if (*challenge && (strlen(challenge) != CHALLENGE_LEN ||
				  strspn(challenge, BASE64URL) != CHALLENGE_LEN))
		return invalid("invalid \"code_challenge\"");
	return (struct oauth_error){ NULL, NULL };
}

static bool has_redirect_uri(const struct client *client, const char *uri)
{
	for (size_t i = 0; i < client->is.n_redirect_uris; i++)
		if (redirect_uri_matches(client->is.redirect_uris[i], uri))
			return true;
	return false;
}

/* Public clients must use PKCE; if a client uses it, wholly. */
static struct oauth_error check_challenge(
	const struct client *client, const Auth__AuthorizationRequest *request)
{
	bool wanted = *client->digest == '\0' || *request->code_challenge ||
		      *request->code_challenge_method;

	if (wanted && *request->code_challenge_method == '\0')
		return invalid("missing \"code_challenge_method\" parameter");
	if (wanted && *request->code_challenge == '\0')
		return invalid("missing \"code_challenge\" parameter");
	return (struct oauth_error){ NULL, NULL };
}

/* What a good request asks for. */
struct wish {
	struct client client;
	char **scopes;
	size_t n_scopes;
};

static struct oauth_error check_client(
	struct call *call, const Auth__AuthorizationRequest *request, bool found, struct wish *wish)
{
	struct oauth_error error;

	if (!found)
		return (struct oauth_error){ "invalid_client",
			"client does not exist with this \"client_id\"" };
	if (!has_redirect_uri(&wish->client, request->redirect_uri))
		return (struct oauth_error){ "invalid_client",
			"client does not support this \"redirect_uri\"" };
	error = check_challenge(&wish->client, request);
	if (error.error != NULL)
		return error;
	if (!client_read_scopes(
		    call, &wish->client, request->scope, &wish->scopes, &wish->n_scopes))
		return (struct oauth_error){ "invalid_scope", "invalid \"scope\"" };
	return error;
}

static err_t check(struct call *call, const Auth__AuthorizationRequest *request, struct wish *wish,
	struct oauth_error *error)
{
	bool found;
	err_t err;

	*error = check_syntax(call, request);
	if (error->error != NULL)
		return OK;
	if ((err = client_find(call, request->client_id, &wish->client, &found)) != OK)
		return err;
	*error = check_client(call, request, found, wish);
	return OK;
}

err_t check_authorization(struct call *call, const Auth__AuthorizationRequest *request,
	Auth__AuthorizationCheck *reply)
{
	struct oauth_error error;
	struct wish wish;
	err_t err = check(call, request, &wish, &error);

	if (err != OK)
		return err;
	if (error.error != NULL) {
		reply->error = (char *)(uintptr_t)error.error;
		reply->error_description = (char *)(uintptr_t)error.description;
		return OK;
	}
	reply->client_name = wish.client.is.name;
	reply->approval = wish.client.is.approval;
	reply->scopes = wish.scopes;
	reply->n_scopes = wish.n_scopes;
	return OK;
}

static err_t make_code(struct call *call, const Auth__AuthorizationRequest *request,
	const struct wish *wish, const char *user, Auth__AuthorizationCode *reply)
{
	struct store_code code = {
		.user = user,
		.client_id = request->client_id,
		.redirect_uri = request->redirect_uri,
		.challenge = request->code_challenge,
		.scopes = wish->scopes,
		.n_scopes = wish->n_scopes,
	};
	struct secret secret;
	err_t err = store_new_id(call, &code.id);

	if (err != OK)
		return err;
	reply->code = (char *)(uintptr_t)secret_create(
		call->arena, KEYRING_OAUTH_CODE, call->tenant, code.id, &secret);
	code.digest = secret.digest;
	return store_code_create(call, &code, oauth_settings()->session_days);
}

err_t authorize(
	struct call *call, const Auth__AuthorizeRequest *request, Auth__AuthorizationCode *reply)
{
	Auth__SignIn person = AUTH__SIGN_IN__INIT;
	struct oauth_error error;
	struct wish wish;
	err_t err;

	if (request->request == NULL)
		return call_refuse(call, ERR_INVALID_ARGUMENT, "request", "expected a request");
	if ((err = sign_in_person(call, request->sign_in, &person)) != OK ||
		(err = check(call, request->request, &wish, &error)) != OK)
		return err;
	if (error.error == NULL)
		return make_code(call, request->request, &wish, person.user_id, reply);
	reply->error = (char *)(uintptr_t)error.error;
	reply->error_description = (char *)(uintptr_t)error.description;
	return OK;
}
