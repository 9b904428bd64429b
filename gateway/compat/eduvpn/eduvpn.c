/*
 * eduvpn: from a request to its operation: the token first, then the path, then the method, as
 * apps expect it. Refusals have the exact words that they know.
 */
#include "gateway/compat/eduvpn/eduvpn.h"

#include "gateway/admit.h"
#include "gateway/compat/compat.h"
#include "gateway/oauth/site.h"
#include "gateway/problem.h"
#include "gateway/request.h"
#include "lib/access.h"
#include "lib/json.h"
#include "proto/gateway.pb-c.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define FORM	"application/x-www-form-urlencoded"
#define USER_AT 5 /* strlen("user:") */

/* ---- replies ---- */

void eduvpn_error(struct eduvpn *edu, enum http_status status, const char *format, ...)
{
	Gateway__AppError error = GATEWAY__APP_ERROR__INIT;
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	error.error = text;
	face_reply_json(edu->request, status, &error.base);
}

static void refuse_token(struct api_request *request, const char *description)
{
	Gateway__OauthError error = GATEWAY__OAUTH_ERROR__INIT;

	error.error = "invalid_token";
	error.error_description = (char *)(uintptr_t)description;
	http_reply_add(request->reply, "WWW-Authenticate",
		"Bearer realm=\"OAuth\",error=\"invalid_token\"");
	face_reply_json(request, HTTP_UNAUTHORIZED, &error.base);
}

static void refuse_scope(struct api_request *request)
{
	Gateway__OauthError error = GATEWAY__OAUTH_ERROR__INIT;

	error.error = "insufficient_scope";
	error.error_description = "\"scope\" does not contain \"config\"";
	face_reply_json(request, HTTP_FORBIDDEN, &error.base);
}

void eduvpn_refuse(struct eduvpn *edu, err_t err)
{
	const struct fault *fault = &edu->request->call->fault;
	enum http_status status = problem_status(err, fault->field);

	if (status == HTTP_UNAVAILABLE || status == HTTP_TOO_MANY_REQUESTS)
		http_reply_add(edu->request->reply, "Retry-After", "1");
	if (status >= HTTP_INTERNAL_ERROR)
		eduvpn_error(edu, status, "/%s failed: try again later", edu->name);
	else
		eduvpn_error(edu, status, "%s", fault->detail);
}

const char *eduvpn_words(
	struct arena *arena, const char *text, size_t n, char *const translations[])
{
	const char *json = json_text(arena, text);

	if (n == 0)
		return json;
	json = arena_printf(arena, "{\"en-US\":%s", json);
	for (size_t i = 0; i < n; i++) {
		const char *equals = strchr(translations[i], '=');

		if (equals != NULL)
			json = arena_printf(arena, "%s,\"%.*s\":%s", json,
				(int)(equals - translations[i]), translations[i],
				json_text(arena, equals + 1));
	}
	return arena_printf(arena, "%s}", json);
}

bool eduvpn_offers(const Provision__Profile *profile, const char *protocol)
{
	for (size_t i = 0; i < profile->n_protocols; i++)
		if (strcmp(profile->protocols[i], protocol) == 0)
			return true;
	return false;
}

const char *eduvpn_csr(const struct eduvpn *edu)
{
	return form_value(&edu->form, "csr");
}

err_t eduvpn_ask(
	struct eduvpn *edu, const char *method, const ProtobufCMessage *message, const void **reply)
{
	return bus_call(edu->request->call, &provision__profiles__descriptor, method, message,
		(const ProtobufCMessage **)reply);
}

/* ---- the token ---- */

/* "Bearer TOKEN" and nothing else (RFC 6750 section 2.1). */
static const char *read_token(const struct api_request *request)
{
	static const char scheme[] = "Bearer ";
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789-._~+/";
	const char *header = request->http->headers.authorization, *token;
	size_t len;

	if (header == NULL || strncmp(header, scheme, strlen(scheme)) != 0)
		return NULL;
	token = header + strlen(scheme);
	len = strspn(token, letters);
	return len > 0 && token[len + strspn(token + len, "=")] == '\0' ? token : NULL;
}

static const char *describe(struct api_request *request, const Auth__Introspection *token)
{
	struct arena *arena = request->call->arena;

	if (strcmp(token->inactive, "expired") == 0)
		return "\"access_token\" expired";
	if (strcmp(token->inactive, "client") == 0)
		return arena_printf(arena, "client \"%s\" no longer registered", token->client_id);
	if (strcmp(token->inactive, "invalid") == 0 || *token->authorization == '\0')
		return "\"access_token\" has invalid signature";
	return arena_printf(
		arena, "authorization for client \"%s\" no longer exists", token->client_id);
}

static err_t check_token(struct api_request *request, const Auth__Introspection **token)
{
	Auth__CheckAccessRequest message = AUTH__CHECK_ACCESS_REQUEST__INIT;
	const char *text = read_token(request);
	err_t err = admit_stranger(request, text == NULL ? 1 : 0);

	*token = NULL;
	if (err != OK)
		return err;
	if (text == NULL) {
		refuse_token(request, "invalid Bearer token");
		return OK;
	}
	if ((err = site_enter(request)) == ERR_NOT_FOUND) {
		refuse_token(request, "nobody signs in at this host any more");
		return OK;
	}
	if (err != OK)
		return err;
	message.token = (char *)(uintptr_t)text;
	return bus_call(request->call, &auth__oauth__descriptor, "CheckAccess", &message.base,
		(const ProtobufCMessage **)token);
}

/* A token of another kind than apps get is none here. A blocked user learns of it by API 2, which
 * has ways to say so, if its tenant lets it; for API 3 the authorization is gone. */
static bool is_good(const Auth__Introspection *token, bool v3)
{
	if (*token->authorization == '\0' || strncmp(token->sub, "user:", USER_AT) != 0)
		return false;
	return token->active || (!v3 && strcmp(token->inactive, "blocked") == 0);
}

static bool has_scope(const Auth__Introspection *token)
{
	const char *const scopes[] = { "config" };
	const char *at = token->scope;

	while (*at != '\0') {
		size_t len = strcspn(at, " ");

		if (len == strlen(scopes[0]) && memcmp(at, scopes[0], len) == 0)
			return access_allows(token->role, scopes, 1, scopes[0]);
		at += len + strspn(at + len, " ");
	}
	return false;
}

static bool believe(struct eduvpn *edu, bool v3, err_t *err)
{
	struct api_request *request = edu->request;

	if ((*err = check_token(request, &edu->token)) != OK || edu->token == NULL)
		return false;
	if (!is_good(edu->token, v3)) {
		if ((*err = admit_stranger(request, 1)) == OK)
			refuse_token(request, describe(request, edu->token));
		return false;
	}
	if ((*err = admit_subject(request, edu->token->sub, 1)) != OK)
		return false;
	if (!has_scope(edu->token)) {
		refuse_scope(request);
		return false;
	}
	request->call->actor = edu->token->sub;
	edu->app.user = edu->token->sub + USER_AT;
	edu->app.authorization = edu->token->authorization;
	edu->app.client_id = edu->token->client_id;
	edu->app.expires_at = edu->token->authorization_until;
	return true;
}

static bool believe_old(struct eduvpn *edu, err_t *err)
{
	return believe(edu, false, err);
}

static bool believe_v3(struct eduvpn *edu, err_t *err)
{
	return believe(edu, true, err);
}

/* ---- the operation ---- */

static const struct eduvpn_api apis[] = {
	{ EDUVPN_API, "v3", eduvpn_api3, believe_v3 },
	{ EDUVPN_API, "", eduvpn_api2, believe_old },
	{ EDUVPN_ADMIN, "v1", eduvpn_admin, eduvpn_believe_key },
};

/* Does the target go on with the path, from segment `*at` on? Then that is behind it. */
static bool follow(const struct target *target, const char *path, size_t *at)
{
	size_t next = *at;

	while (*path != '\0') {
		size_t len;

		path += *path == '/';
		len = strcspn(path, "/");
		if (next == target->n_segments || strlen(target->segments[next]) != len ||
			memcmp(target->segments[next], path, len) != 0)
			return false;
		next++;
		path += len;
	}
	*at = next;
	return true;
}

static const struct eduvpn_api *find_api(const struct target *target, size_t *depth)
{
	for (size_t i = 0; i < ARRAY_LEN(apis); i++) {
		*depth = 0;
		if (follow(target, apis[i].base, depth) && follow(target, apis[i].version, depth))
			return &apis[i];
	}
	return NULL;
}

void eduvpn_refuse_path(struct eduvpn *edu)
{
	const struct target *target = &edu->request->target;
	const char *path = "";
	size_t at = 0;

	if (!follow(target, EDUVPN_API, &at))
		(void)follow(target, EDUVPN_ADMIN, &at);
	for (; at < target->n_segments; at++)
		path = arena_printf(edu->request->call->arena, "%s/%s", path, target->segments[at]);
	eduvpn_error(edu, HTTP_NOT_FOUND, "\"%s\" not found", path);
}

static const struct eduvpn_operation *find(
	const struct target *target, const struct eduvpn_operation *table, size_t depth)
{
	if (target->n_segments != depth + 1)
		return NULL;
	for (; table->name != NULL; table++)
		if (strcmp(table->name, target->segments[depth]) == 0)
			return table;
	return NULL;
}

static void refuse_method(struct eduvpn *edu, const struct eduvpn_operation *operation)
{
	http_reply_add(edu->request->reply, "Allow", operation->method);
	eduvpn_error(edu, HTTP_METHOD_NOT_ALLOWED, "method \"%s\" not allowed",
		edu->request->http->method);
}

static err_t read_form(struct eduvpn *edu)
{
	const struct http_request *http = edu->request->http;

	if (strcmp(http->method, "GET") == 0)
		edu->form = edu->request->target.query;
	else if (request_has_type(edu->request, FORM))
		return form_parse(
			edu->request->call, "form", http->body, http->body_len, &edu->form);
	return OK;
}

static err_t serve(struct eduvpn *edu, const struct eduvpn_api *api, size_t depth)
{
	struct api_request *request = edu->request;
	const struct eduvpn_operation *operation = find(&request->target, api->operations, depth);
	err_t err = OK;

	if (!api->believe(edu, &err))
		return err;
	if (operation == NULL) {
		eduvpn_refuse_path(edu);
		return OK;
	}
	edu->name = operation->name;
	if (strcmp(operation->method, request->http->method) != 0) {
		refuse_method(edu, operation);
		return OK;
	}
	if ((err = read_form(edu)) != OK)
		return err;
	request->call->idempotency_key = request->call->trace; /* the bus may repeat it */
	return operation->serve(edu);
}

bool eduvpn_serve(struct api_request *request)
{
	struct eduvpn edu = { .request = request, .name = "", .app = PROVISION__APP__INIT };
	size_t depth;
	const struct eduvpn_api *api =
		request->api->plain ? NULL : find_api(&request->target, &depth);
	err_t err;

	if (api == NULL)
		return false;
	if ((err = serve(&edu, api, depth)) != OK)
		eduvpn_refuse(&edu, err);
	return true;
}
