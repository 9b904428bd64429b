/*
 * oauth_fixture: auth as an authorization server: a tenant, its user ann with a browser, and an app
 * that she lets in.
 */
#pragma once

#include "tests/component/auth_fixture.h"

#include "proto/oauth.pb-c.h"

#define APP	  "org.eduvpn.app.linux"
#define REDIRECT  "http://127.0.0.1:5000/callback"
#define VERIFIER  "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
#define CHALLENGE "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" /* RFC 7636 appendix B */

static inline const void *oauth(const char *tenant, const char *method, const void *request)
{
	return ask_of(&auth__oauth__descriptor, "service:test", tenant, method, request);
}

static inline void oauth_refuses(
	const char *tenant, const char *method, const void *request, err_t want, const char *field)
{
	refuse_of(&auth__oauth__descriptor, "service:test", tenant, method, request, want, field);
}

static inline Auth__AuthorizationRequest good_request(void)
{
	Auth__AuthorizationRequest request = AUTH__AUTHORIZATION_REQUEST__INIT;

	request.client_id = APP;
	request.redirect_uri = REDIRECT;
	request.response_type = "code";
	request.scope = "config";
	request.state = "x y&z";
	request.code_challenge_method = "S256";
	request.code_challenge = CHALLENGE;
	return request;
}

/* A tenant, its user ann, and her browser. */
struct world {
	const char *tenant, *user, *browser;
};

static inline const Auth__SignIn *sign_in_with(
	const char *tenant, const char *user, const char *password)
{
	Auth__SignInRequest request = AUTH__SIGN_IN_REQUEST__INIT;

	request.user = TEXT(user);
	request.password = TEXT(password);
	request.address = "192.0.2.1";
	request.agent = "test";
	return oauth(tenant, "CreateSignIn", &request);
}

static inline const Auth__SignIn *sign_in(const char *tenant, const char *user)
{
	return sign_in_with(tenant, user, PASSWORD);
}

static inline struct world new_world(const char *name)
{
	struct world world = { .tenant = new_tenant(name)->id };

	world.user = new_user(world.tenant, "ann", "member")->id;
	world.browser = sign_in(world.tenant, "ann")->secret;
	return world;
}

static inline const char *new_code(
	const struct world *world, const Auth__AuthorizationRequest *authorization)
{
	Auth__AuthorizeRequest request = AUTH__AUTHORIZE_REQUEST__INIT;
	const Auth__AuthorizationCode *reply;

	request.request = (Auth__AuthorizationRequest *)(uintptr_t)authorization;
	request.sign_in = TEXT(world->browser);
	reply = oauth(world->tenant, "Authorize", &request);
	cr_assert_str_eq(reply->error, "", "%s", reply->error_description);
	return reply->code;
}

static inline Auth__TokenRequest code_request(const char *code)
{
	Auth__TokenRequest request = AUTH__TOKEN_REQUEST__INIT;

	request.grant_type = "authorization_code";
	request.code = TEXT(code);
	request.redirect_uri = REDIRECT;
	request.client_id = APP;
	request.code_verifier = VERIFIER;
	return request;
}

static inline const Auth__TokenReply *exchange(const char *tenant, Auth__TokenRequest request)
{
	return oauth(tenant, "ExchangeToken", &request);
}

static inline const Auth__TokenReply *refresh(const char *tenant, const char *token)
{
	Auth__TokenRequest request = AUTH__TOKEN_REQUEST__INIT;

	request.grant_type = "refresh_token";
	request.refresh_token = TEXT(token);
	return exchange(tenant, request);
}

static inline const Auth__TokenReply *new_tokens(const struct world *world)
{
	Auth__AuthorizationRequest request = good_request();
	const Auth__TokenReply *reply =
		exchange(world->tenant, code_request(new_code(world, &request)));

	cr_assert_str_eq(reply->error, "", "%s", reply->error_description);
	return reply;
}

static inline void says(const Auth__TokenReply *reply, const char *error, const char *description)
{
	cr_expect_str_eq(reply->error, error, "%s (%s), not %s", reply->error,
		reply->error_description, error);
	cr_expect_str_eq(reply->error_description, description);
	cr_expect_str_eq(reply->access_token, "");
	cr_expect_str_eq(reply->refresh_token, "");
}

static inline const Auth__Introspection *check(const char *tenant, const char *token)
{
	Auth__CheckAccessRequest request = AUTH__CHECK_ACCESS_REQUEST__INIT;

	request.token = TEXT(token);
	return oauth(tenant, "CheckAccess", &request);
}

static inline void is_inactive(const char *tenant, const char *token, const char *why)
{
	const Auth__Introspection *reply = check(tenant, token);

	cr_expect(!reply->active);
	cr_expect_str_eq(reply->inactive, why, "%s, not %s", reply->inactive, why);
}
