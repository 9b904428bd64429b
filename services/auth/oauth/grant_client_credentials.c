/* grant_client_credentials: a token for a program that has an API key (RFC 6749 section 4.4). */
#include "services/auth/oauth/grant.h"

#include "services/auth/handlers.h"

#include <string.h>

/* A program's credentials are an API key: Basic with the key's id, or anything, and the key. */
err_t grant_client_credentials(
	struct call *call, const Auth__TokenRequest *request, Auth__TokenReply *reply)
{
	Auth__Credential credential = AUTH__CREDENTIAL__INIT;
	Auth__Principal principal = AUTH__PRINCIPAL__INIT;
	Auth__SignTokenRequest sign = AUTH__SIGN_TOKEN_REQUEST__INIT;
	Auth__Token token = AUTH__TOKEN__INIT;
	err_t err;

	credential.api_key = request->basic_password;
	err = authenticate(call, &credential, &principal);
	if (err == ERR_UNAUTHENTICATED ||
		(err == OK && strcmp(principal.tenant, call->tenant) != 0))
		return grant_error(reply, "invalid_client",
			"invalid credentials (expected HTTP Basic with an API key as password)");
	if (err != OK)
		return err;
	if (*request->scope)
		return grant_invalid_request(reply, "unexpected \"scope\"");
	sign.subject = principal.subject;
	sign.role = principal.role;
	sign.scopes = principal.scopes;
	sign.n_scopes = principal.n_scopes;
	if ((err = sign_token(call, &sign, &token)) != OK)
		return err;
	reply->access_token = token.access_token;
	reply->token_type = "bearer";
	reply->expires_in = token.expires_in;
	return OK;
}
