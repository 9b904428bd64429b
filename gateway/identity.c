/* identity: from credentials to principals. Runs in workers; no state of its own. */
#include "gateway/identity.h"

#include "lib/access.h"
#include "proto/auth.pb-c.h"

#include <string.h>

static err_t from_token(
	struct call *call, struct trust *trust, const char *token, struct identity *identity)
{
	struct token_claims *claims = arena_alloc(call->arena, sizeof(*claims));
	const char **scopes = arena_alloc(call->arena, sizeof(*scopes) * TOKEN_SCOPES_MAX);
	err_t err = trust_verify(trust, call, token, claims);

	if (err != OK)
		return err;
	for (size_t i = 0; i < claims->n_scopes; i++)
		scopes[i] = claims->scopes[i];
	*identity = (struct identity){
		.tenant = claims->tenant,
		.subject = claims->subject,
		.role = claims->role,
		.scopes = scopes,
		.n_scopes = claims->n_scopes,
		.by_token = true,
	};
	return OK;
}

err_t identity_ask(struct call *call, const ProtobufCMessage *credential, struct identity *identity)
{
	const ProtobufCMessage *reply;
	const Auth__Principal *principal;
	err_t err;

	call->tenant = CALL_FLEET;
	err = bus_call(call, &auth__auth__descriptor, "Authenticate", credential, &reply);
	if (err != OK)
		return err;
	principal = (const Auth__Principal *)reply;
	if (*principal->error) {
		identity->retry_after_s = principal->retry_after_s;
		return call_refuse(call,
			principal->retry_after_s > 0 ? ERR_RESOURCE_EXHAUSTED : ERR_UNAUTHENTICATED,
			principal->error_field, "%s", principal->error);
	}
	*identity = (struct identity){
		.tenant = principal->tenant,
		.subject = principal->subject,
		.role = principal->role,
		.scopes = (const char *const *)principal->scopes,
		.n_scopes = principal->n_scopes,
	};
	return OK;
}

err_t identity_find(struct call *call, struct trust *trust, const struct credentials *credentials,
	struct identity *identity)
{
	Auth__Credential credential = AUTH__CREDENTIAL__INIT;
	char *secret = (char *)(uintptr_t)credentials->secret;

	switch (credentials->kind) {
	case CREDENTIALS_TOKEN:
		return from_token(call, trust, secret, identity);
	case CREDENTIALS_API_KEY:
		credential.api_key = secret;
		return identity_ask(call, &credential.base, identity);
	case CREDENTIALS_DEVICE:
		credential.device = (char *)(uintptr_t)credentials->device;
		credential.device_secret = secret;
		return identity_ask(call, &credential.base, identity);
	default:
		return call_refuse(
			call, ERR_UNAUTHENTICATED, "Authorization", "expected credentials");
	}
}

bool identity_may(const struct identity *identity, const char *scope)
{
	return access_allows(identity->role, identity->scopes, identity->n_scopes, scope);
}

err_t identity_check_grant(
	struct call *call, const struct identity *identity, char *const scopes[], size_t n)
{
	if (n == 0 && identity->n_scopes > 0)
		return call_refuse(call, ERR_PERMISSION_DENIED, "scopes",
			"name the scopes: who asks has only some of its role's");
	for (size_t i = 0; i < n; i++) {
		if (!access_scope_known(scopes[i]))
			return call_refuse(
				call, ERR_INVALID_ARGUMENT, "scopes", "there is no such scope");
		if (!identity_may(identity, scopes[i]))
			return call_refuse(call, ERR_PERMISSION_DENIED, "scopes",
				"a credential can't have more scopes than who makes it");
	}
	return OK;
}

bool identity_is_fleet(const struct identity *identity)
{
	return strcmp(identity->tenant, IDENTITY_FLEET) == 0;
}
