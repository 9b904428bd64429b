/*
 * routes: every endpoint of the API against a table of who may use it, written down a second time
 * here, and against gateway/openapi.yaml.
 */
#include "gateway/api.h"
#include "gateway/api/openapi.h"
#include "lib/access.h"
#include "proto/auth.pb-c.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const char *const roles[] = { "owner", "admin", "operator", "auditor", "member", "device" };

#define ALL	"owner admin operator auditor member device"
#define NOBODY	"" /* no authentication */
#define T	"/v1/tenants/{tenant}"
#define READERS "owner admin operator auditor"
#define WRITERS "owner admin operator"

static const struct {
	const char *method, *path;
	const char *roles;
	bool fleet;
} wanted[] = {
	{ "GET", "/v1/tenants", "owner admin auditor", true },
	{ "POST", "/v1/tenants", "owner admin", true },
	{ "GET", T, "owner admin auditor", false },
	{ "PATCH", T, "owner admin", true },
	{ "DELETE", T, "owner", false },
	{ "GET", T "/export", "owner admin", false },
	{ "GET", T "/invitations", "owner admin auditor", false },
	{ "POST", T "/invitations", "owner admin", false },
	{ "GET", T "/invitations/{id}", "owner admin auditor", false },
	{ "DELETE", T "/invitations/{id}", "owner admin", false },
	{ "GET", T "/profiles", READERS, false },
	{ "POST", T "/profiles", WRITERS, false },
	{ "GET", T "/profiles/{id}", READERS, false },
	{ "PUT", T "/profiles/{id}", WRITERS, false },
	{ "DELETE", T "/profiles/{id}", WRITERS, false },
	{ "GET", T "/profiles/{id}/server", WRITERS, false },
	{ "GET", T "/app-settings", READERS, false },
	{ "PATCH", T "/app-settings", WRITERS, false },
	{ "GET", T "/notices", READERS, false },
	{ "POST", T "/notices", WRITERS, false },
	{ "GET", T "/notices/{id}", READERS, false },
	{ "DELETE", T "/notices/{id}", WRITERS, false },
	{ "GET", T "/identity-providers", "owner admin auditor", false },
	{ "POST", T "/identity-providers", "owner admin", false },
	{ "GET", T "/identity-providers/{id}", "owner admin auditor", false },
	{ "DELETE", T "/identity-providers/{id}", "owner admin", false },
	{ "GET", T "/federation", "owner admin auditor", false },
	{ "PUT", T "/federation", "owner admin", false },
	{ "DELETE", T "/federation", "owner admin", false },
	{ "GET", T "/users", "owner admin auditor", false },
	{ "POST", T "/users", "owner admin", false },
	{ "GET", T "/users/{id}", "owner admin auditor", false },
	{ "PATCH", T "/users/{id}", "owner admin", false },
	{ "DELETE", T "/users/{id}", "owner admin", false },
	{ "GET", T "/groups", "owner admin auditor", false },
	{ "POST", T "/groups", "owner admin", false },
	{ "GET", T "/groups/{id}", "owner admin auditor", false },
	{ "PATCH", T "/groups/{id}", "owner admin", false },
	{ "DELETE", T "/groups/{id}", "owner admin", false },
	{ "GET", T "/groups/{id}/members", "owner admin auditor", false },
	{ "POST", T "/groups/{id}/members", "owner admin", false },
	{ "GET", T "/users/{id}/second-factor", "owner admin auditor", false },
	{ "DELETE", T "/users/{id}/second-factor", "owner admin", false },
	{ "GET", T "/api-keys", "owner admin auditor", false },
	{ "POST", T "/api-keys", "owner admin", false },
	{ "GET", T "/api-keys/{id}", "owner admin auditor", false },
	{ "DELETE", T "/api-keys/{id}", "owner admin", false },
	{ "GET", T "/sites", "owner admin auditor", false },
	{ "POST", T "/sites", "owner admin", false },
	{ "GET", T "/sites/{id}", "owner admin auditor", false },
	{ "DELETE", T "/sites/{id}", "owner admin", false },
	{ "GET", T "/oauth-clients", "owner admin auditor", false },
	{ "POST", T "/oauth-clients", "owner admin", false },
	{ "GET", T "/oauth-clients/{id}", "owner admin auditor", false },
	{ "DELETE", T "/oauth-clients/{id}", "owner admin", false },
	{ "GET", T "/authorizations", "owner admin auditor", false },
	{ "DELETE", T "/authorizations/{id}", "owner admin", false },
	{ "GET", T "/sign-ins", "owner admin auditor", false },
	{ "DELETE", T "/sign-ins/{id}", "owner admin", false },
	{ "GET", T "/sign-in-policy", "owner admin auditor", false },
	{ "PATCH", T "/sign-in-policy", "owner admin", false },
	{ "GET", T "/enrolment-keys", READERS, false },
	{ "POST", T "/enrolment-keys", WRITERS, false },
	{ "GET", T "/enrolment-keys/{id}", READERS, false },
	{ "DELETE", T "/enrolment-keys/{id}", WRITERS, false },
	{ "GET", T "/networks", READERS " member", false },
	{ "POST", T "/networks", WRITERS, false },
	{ "GET", T "/networks/{id}", READERS " member", false },
	{ "PATCH", T "/networks/{id}", WRITERS, false },
	{ "DELETE", T "/networks/{id}", WRITERS, false },
	{ "GET", T "/devices", READERS, false },
	{ "GET", T "/devices/{id}", READERS, false },
	{ "PATCH", T "/devices/{id}", WRITERS, false },
	{ "DELETE", T "/devices/{id}", WRITERS, false },
	{ "GET", T "/portal", READERS, false },
	{ "PATCH", T "/portal", WRITERS, false },
	{ "GET", T "/portal-devices", READERS, false },
	{ "POST", T "/portal-devices", WRITERS, false },
	{ "GET", T "/portal-devices/{id}", READERS, false },
	{ "POST", T "/portal-devices/{id}/packages", WRITERS, false },
	{ "POST", T "/portal-devices/{id}/release", WRITERS, false },
	{ "POST", T "/portal-devices/{id}/secrets", WRITERS, false },
	{ "DELETE", T "/portal-devices/{id}", WRITERS, false },
	{ "POST", T "/device-imports", WRITERS, false },
	{ "GET", T "/expected-devices", READERS, false },
	{ "GET", T "/expected-devices/{id}", READERS, false },
	{ "DELETE", T "/expected-devices/{id}", WRITERS, false },
	{ "POST", T "/expected-devices/{id}/codes", WRITERS, false },
	{ "POST", T "/portal-devices/{id}/transfer", "owner admin", false },
	{ "POST", T "/claims", WRITERS, false },
	{ "POST", "/v1/claims", NOBODY, false },
	{ "GET", T "/rollouts", READERS, false },
	{ "POST", T "/rollouts", WRITERS, false },
	{ "GET", T "/rollouts/{id}", READERS, false },
	{ "PATCH", T "/rollouts/{id}", WRITERS, false },
	{ "GET", T "/rollouts/{id}/devices", READERS, false },
	{ "GET", T "/audit-records", "owner admin auditor", false },
	{ "GET", T "/authorities", READERS, false },
	{ "POST", T "/authorities", "owner admin", false },
	{ "POST", T "/authorities/{id}/advance", "owner admin", false },
	{ "POST", T "/authorities/{id}/offline", "owner admin", false },
	{ "GET", T "/certificates", READERS, false },
	{ "POST", T "/certificates", WRITERS, false },
	{ "GET", T "/certificates/{id}", READERS, false },
	{ "POST", T "/revocations", WRITERS, false },
	{ "GET", T "/members", READERS, false },
	{ "POST", T "/members", WRITERS, false },
	{ "GET", T "/members/{id}", READERS, false },
	{ "PATCH", T "/members/{id}", WRITERS, false },
	{ "DELETE", T "/members/{id}", WRITERS, false },
	{ "GET", T "/networks/{id}/events", READERS, false },
	{ "GET", T "/sessions", READERS, false },
	{ "GET", T "/sessions/{id}", READERS, false },
	{ "DELETE", T "/sessions/{id}", WRITERS, false },
	{ "GET", T "/names", READERS " member", false },
	{ "GET", T "/names/{id}", READERS " member", false },
	{ "GET", T "/zones", READERS " member", false },
	{ "POST", T "/zones", WRITERS, false },
	{ "GET", T "/zones/{id}", READERS " member", false },
	{ "DELETE", T "/zones/{id}", WRITERS, false },
	{ "POST", "/v1/registrations", "device", false },
	{ "GET", T "/registrations", READERS, false },
	{ "POST", T "/registrations", WRITERS, false },
	{ "GET", T "/registrations/{id}", READERS, false },
	{ "POST", T "/registrations/{id}/reclaim", WRITERS, false },
	{ "DELETE", T "/registrations/{id}", WRITERS, false },
	{ "GET", T "/pairs", READERS, false },
	{ "GET", T "/pairs/{id}", READERS, false },
	{ "DELETE", T "/pairs/{id}", WRITERS, false },
	{ "GET", T "/traffic", READERS, false },
	{ "GET", T "/connections", READERS, false },
	{ "GET", "/v1/connections", READERS, true },
	{ "POST", "/v1/tokens", NOBODY, false },
	{ "POST", T "/tokens", ALL, false },
	{ "POST", "/v1/enrolments", NOBODY, false },
	{ "POST", "/v1/attachments", "device", false },
	{ "GET", "/v1/manifest", "device", false },
	{ "GET", "/v1/package-files", "device", false },
	{ "POST", "/v1/package-reports", "device", false },
	{ "GET", "/v1/jwks.json", NOBODY, false },
	{ "GET", "/.well-known/jwks.json", NOBODY, false },
	{ "POST", "/v1/signing-keys", "owner admin", true },
	{ "GET", "/v1/openapi.yaml", NOBODY, false },
	{ "GET", T "/vpn-servers", READERS, false },
	{ "POST", T "/vpn-servers", WRITERS, false },
	{ "GET", T "/vpn-servers/{id}", READERS, false },
	{ "DELETE", T "/vpn-servers/{id}", WRITERS, false },
	{ "GET", T "/vpn-connections", READERS, false },
	{ "GET", T "/vpn-statistics", READERS, false },
	{ "POST", "/v1/vpn-starts", "device", false },
	{ "POST", "/v1/vpn-decisions", "device", false },
	{ "POST", "/v1/vpn-reports", "device", false },
	{ "POST", "/v1/wireguard-starts", "device", false },
	{ "POST", "/v1/wireguard-peers", "device", false },
};

static const struct route *find(const char *method, const char *path)
{
	for (const struct route *const *table = api_tables; *table != NULL; table++)
		for (const struct route *route = *table; route->method != NULL; route++)
			if (strcmp(route->method, method) == 0 && strcmp(route->path, path) == 0)
				return route;
	return NULL;
}

static size_t count(void)
{
	size_t n = 0;

	for (const struct route *const *table = api_tables; *table != NULL; table++)
		for (const struct route *route = *table; route->method != NULL; route++)
			n++;
	return n;
}

static bool has_word(const char *words, const char *word)
{
	const char *found = strstr(words, word);
	size_t len = strlen(word);

	return found != NULL && (found == words || found[-1] == ' ') &&
	       (found[len] == ' ' || found[len] == '\0');
}

static bool may(const char *role, const char *const scopes[], size_t n, const struct route *route)
{
	struct identity identity = { .role = role, .scopes = scopes, .n_scopes = n };

	return strcmp(route->scope, ROUTE_ANYONE) == 0 || identity_may(&identity, route->scope);
}

Test(routes, each_role)
{
	cr_expect(eq(sz, count(), ARRAY_LEN(wanted)));
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
		const struct route *route = find(wanted[i].method, wanted[i].path);

		cr_assert(route != NULL, "%s %s", wanted[i].method, wanted[i].path);
		cr_expect(eq(int, (route->flags & ROUTE_FLEET) != 0, wanted[i].fleet));
		cr_expect(eq(int, route->scope == NULL, *wanted[i].roles == '\0'));
		for (size_t j = 0; route->scope != NULL && j < ARRAY_LEN(roles); j++)
			cr_expect(eq(int, may(roles[j], NULL, 0, route),
					  has_word(wanted[i].roles, roles[j])),
				"%s %s as %s", wanted[i].method, wanted[i].path, roles[j]);
	}
}

/* Scopes narrow a role: with its own scope an endpoint is as before, with any other it is closed.
 */
Test(routes, each_scope)
{
	static const char *const other[] = { "nothing:read" };

	for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
		const struct route *route = find(wanted[i].method, wanted[i].path);
		const char *const own[] = { route->scope };

		if (route->scope == NULL || strcmp(route->scope, ROUTE_ANYONE) == 0)
			continue;
		cr_expect(access_scope_known(route->scope), "%s", route->scope);
		for (size_t j = 0; j < ARRAY_LEN(roles); j++) {
			cr_expect(eq(
				int, may(roles[j], own, 1, route), may(roles[j], NULL, 0, route)));
			cr_expect(not(may(roles[j], other, 1, route)));
		}
	}
}

/* The generic way needs a method that exists, and a path's id needs a field to go to. */
Test(routes, methods_exist)
{
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
		const struct route *route = find(wanted[i].method, wanted[i].path);
		const ProtobufCMethodDescriptor *method;

		cr_expect(route->handler != NULL || route->rpc != NULL);
		if (route->rpc == NULL)
			continue;
		method = protobuf_c_service_descriptor_get_method_by_name(
			route->service, route->rpc);
		cr_assert(method != NULL, "%s", route->rpc);
		if (route->handler == NULL && strstr(route->path, "{id}") != NULL)
			cr_expect(protobuf_c_message_descriptor_get_field_by_name(
					  method->input, "id") != NULL,
				"%s", route->rpc);
	}
}

/* ---- the document ---- */

/* What openapi.yaml says of one operation. */
struct operation {
	char method[16], path[128], scope[64], query[64], status[8];
	bool fleet, open;
};

static void check_operation(const struct operation *operation)
{
	const struct route *route = find(operation->method, operation->path);
	char status[8];

	cr_assert(route != NULL, "no route for %s %s", operation->method, operation->path);
	snprintf(status, sizeof(status), "%d", route->status != 0 ? route->status : 200);
	cr_expect(eq(str, (char *)(route->scope != NULL ? route->scope : ""),
			  (char *)operation->scope),
		"%s %s", operation->method, operation->path);
	cr_expect(eq(str, (char *)(route->query != NULL ? route->query : ""),
			  (char *)operation->query),
		"%s %s", operation->method, operation->path);
	cr_expect(eq(str, status, (char *)operation->status), "%s %s", operation->method,
		operation->path);
	cr_expect(eq(int, (route->flags & ROUTE_FLEET) != 0, operation->fleet));
	cr_expect(eq(int, route->scope == NULL, operation->open), "%s %s", operation->method,
		operation->path);
}

/* Takes one line; true if an operation begins with it, so that the one before is complete. */
static bool begins_operation(const char *line, char method[16])
{
	static const char *const methods[] = { "get", "post", "put", "patch", "delete" };
	char word[16], rest;

	if (sscanf(line, "    %15[a-z]%c", word, &rest) != 2 || rest != ':' || line[4] == ' ')
		return false;
	for (size_t i = 0; i < ARRAY_LEN(methods); i++)
		if (strcmp(word, methods[i]) == 0) {
			for (size_t j = 0; j <= strlen(word); j++)
				method[j] = (char)toupper((unsigned char)word[j]);
			return true;
		}
	return false;
}

static void read_line(const char *line, struct operation *operation)
{
	(void)sscanf(line, "      x-scope: '%63[^']'", operation->scope);
	(void)sscanf(line, "      x-query: %63[^\n]", operation->query);
	if (operation->status[0] == '\0')
		(void)sscanf(line, "        '%7[0-9]':", operation->status);
	if (strcmp(line, "      x-fleet: true") == 0)
		operation->fleet = true;
	if (strcmp(line, "      security: []") == 0)
		operation->open = true;
}

Test(routes, document_agrees)
{
	char *text = xstrdup(openapi_text), *rest = text, *line;
	struct operation operation = { .method = "" };
	char path[128] = "", method[16];
	size_t n = 0;

	while ((line = strsep(&rest, "\n")) != NULL && strcmp(line, "components:") != 0) {
		if (begins_operation(line, method)) {
			if (n++ > 0)
				check_operation(&operation);
			memset(&operation, 0, sizeof(operation));
			strcpy(operation.method, method);
			strcpy(operation.path, path);
		} else if (sscanf(line, "  /%126[^:]:", path + 1) == 1 && line[2] == '/') {
			path[0] = '/';
		} else {
			read_line(line, &operation);
		}
	}
	check_operation(&operation);
	cr_expect(eq(sz, n, count()));
	free(text);
}
