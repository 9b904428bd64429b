/* sign_token: see sign_token.h. */
#include "services/auth/sign_token.h"

#include "lib/access.h"
#include "lib/token.h"
#include "services/auth/handlers.h"
#include "services/auth/request.h"
#include "services/auth/signing_key.h"
#include "services/auth/store.h"
#include "services/auth/subject.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const char *token_issuer; /* set once by sign_token_open */

void sign_token_open(const char *issuer)
{
	token_issuer = issuer;
}

const char *sign_token_issuer(void)
{
	return token_issuer;
}

/* Copies a claim's text, or refuses what is too long for a token. */
static err_t copy(struct call *call, const char *field, char *out, size_t size, const char *text)
{
	if (strlen(text) >= size)
		return call_refuse(
			call, ERR_INVALID_ARGUMENT, field, "expected at most %zu bytes", size - 1);
	strcpy(out, text);
	return OK;
}

#define COPY(call, claims, member, field, text)                                                    \
	copy(call, field, (claims)->member, sizeof((claims)->member), text)

static err_t scopes_read(
	struct call *call, const Auth__SignTokenRequest *request, struct token_claims *claims)
{
	err_t err;

	if (*request->role && !access_role_known(request->role))
		return call_refuse(call, ERR_INVALID_ARGUMENT, "role", "expected a role");
	if (request->n_scopes > TOKEN_SCOPES_MAX)
		return call_refuse(call, ERR_INVALID_ARGUMENT, "scopes",
			"expected at most %d scopes", TOKEN_SCOPES_MAX);
	for (size_t i = 0; i < request->n_scopes; i++) {
		if (!access_scope_known(request->scopes[i]))
			return call_refuse(
				call, ERR_INVALID_ARGUMENT, "scopes", "expected known scopes");
		if ((err = COPY(call, claims, scopes[i], "scopes", request->scopes[i])) != OK)
			return err;
	}
	claims->n_scopes = request->n_scopes;
	return OK;
}

static void policy_read(const Auth__SignTokenRequest *request, struct token_claims *claims)
{
	claims->mac_limit = request->mac_limit;
	claims->policy_version = request->policy_version;
	claims->network_version = request->network_version;
	claims->bridge = request->bridge;
	claims->isolated = request->isolated;
	claims->dhcp_server = request->dhcp_server;
	claims->router = request->router;
	claims->address_guard = request->address_guard;
	claims->no_broadcast = request->no_broadcast;
	claims->no_multicast = request->no_multicast;
	claims->storm_frames = request->storm_frames;
	claims->storm_bytes = request->storm_bytes;
}

static err_t claims_read(
	struct call *call, const Auth__SignTokenRequest *request, struct token_claims *claims)
{
	err_t err;

	if ((err = COPY(call, claims, tenant, "tenant", call->tenant)) != OK ||
		(err = COPY(call, claims, subject, "subject", request->subject)) != OK ||
		(err = COPY(call, claims, role, "role", request->role)) != OK ||
		(err = COPY(call, claims, client, "client_id", request->client_id)) != OK ||
		(err = COPY(call, claims, authorization, "authorization",
			 request->authorization)) != OK ||
		(err = COPY(call, claims, network, "network", request->network)) != OK ||
		(err = COPY(call, claims, member, "member", request->member)) != OK ||
		(err = COPY(call, claims, mac, "mac", request->mac)) != OK ||
		(err = COPY(call, claims, ipv4, "ipv4", request->ipv4)) != OK ||
		(err = COPY(call, claims, ipv6, "ipv6", request->ipv6)) != OK)
		return err;
	policy_read(request, claims);
	return scopes_read(call, request, claims);
}

/* Who was revoked since the service looked gets no token any more. */
err_t sign_token_check_active(struct call *call, const char *text, long long *from)
{
	struct subject subject;
	bool active = false;
	err_t err = subject_read(call, text, &subject);

	if (err != OK)
		return err;
	switch (subject.kind) {
	case SUBJECT_USER:
		err = store_user_active(call, subject.id, &active, from);
		break;
	case SUBJECT_API_KEY:
		err = store_api_key_active(call, subject.id, &active, from);
		break;
	case SUBJECT_DEVICE:
		err = store_device_active(call, subject.id, &active, from);
		break;
	}
	return err != OK || active ? err : request_unauthenticated(call);
}

err_t sign_token_unchecked(
	struct call *call, const Auth__SignTokenRequest *request, Auth__Token *reply)
{
	uint32_t life_s = request->life_s != 0 ? request->life_s : SIGNING_KEY_TOKEN_S;
	struct token_claims claims = { 0 };
	AUTO_FREE char *token = NULL;
	struct signing_key key;
	err_t err;

	if (life_s > SIGNING_KEY_TOKEN_MAX_S)
		return call_refuse(call, ERR_INVALID_ARGUMENT, "life_s", "expected at most %d",
			SIGNING_KEY_TOKEN_MAX_S);
	if ((err = claims_read(call, request, &claims)) != OK ||
		(err = signing_key_current(call, &key)) != OK ||
		(err = COPY(call, &claims, id, "id", key.token_id)) != OK)
		return err;
	claims.issued_at = key.now_s;
	claims.expires_at = key.now_s + life_s;
	if ((err = token_sign(key.private_jwk, token_issuer, &claims, &token)) != OK)
		return call_refuse(call, err, NULL, "these claims can't be signed");
	reply->access_token = arena_strdup(call->arena, token);
	reply->token_type = "Bearer";
	reply->expires_in = life_s;
	reply->n_scopes = request->n_scopes;
	reply->scopes = request->scopes;
	return OK;
}

err_t sign_token(struct call *call, const Auth__SignTokenRequest *request, Auth__Token *reply)
{
	long long from;
	err_t err = sign_token_check_active(call, request->subject, &from);

	return err == OK ? sign_token_unchecked(call, request, reply) : err;
}
