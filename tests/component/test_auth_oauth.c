/*
 * auth for real as an authorization server: clients, codes, refresh tokens, device codes,
 * introspection, revocation, and people's sign-ins (contract app-api, statements 11 to 42).
 */
#include "tests/component/auth_fixture.h"

#include "proto/oauth.pb-c.h"

#include <pthread.h>

#define RACERS	  50
#define APP	  "org.eduvpn.app.linux"
#define REDIRECT  "http://127.0.0.1:5000/callback"
#define VERIFIER  "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
#define CHALLENGE "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" /* RFC 7636 appendix B */

/* ---- calls ---- */

static const void *oauth(const char *tenant, const char *method, const void *request)
{
	return ask_of(&auth__oauth__descriptor, "service:test", tenant, method, request);
}

static void oauth_refuses(
	const char *tenant, const char *method, const void *request, err_t want, const char *field)
{
	refuse_of(&auth__oauth__descriptor, "service:test", tenant, method, request, want, field);
}

static Auth__AuthorizationRequest good_request(void)
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

static const Auth__SignIn *sign_in(const char *tenant, const char *user)
{
	Auth__SignInRequest request = AUTH__SIGN_IN_REQUEST__INIT;

	request.user = TEXT(user);
	request.password = PASSWORD;
	request.address = "192.0.2.1";
	request.agent = "test";
	return oauth(tenant, "CreateSignIn", &request);
}

static struct world new_world(const char *name)
{
	struct world world = { .tenant = new_tenant(name)->id };

	world.user = new_user(world.tenant, "ann", "member")->id;
	world.browser = sign_in(world.tenant, "ann")->secret;
	return world;
}

static const char *new_code(
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

static Auth__TokenRequest code_request(const char *code)
{
	Auth__TokenRequest request = AUTH__TOKEN_REQUEST__INIT;

	request.grant_type = "authorization_code";
	request.code = TEXT(code);
	request.redirect_uri = REDIRECT;
	request.client_id = APP;
	request.code_verifier = VERIFIER;
	return request;
}

static const Auth__TokenReply *exchange(const char *tenant, Auth__TokenRequest request)
{
	return oauth(tenant, "ExchangeToken", &request);
}

static const Auth__TokenReply *refresh(const char *tenant, const char *token)
{
	Auth__TokenRequest request = AUTH__TOKEN_REQUEST__INIT;

	request.grant_type = "refresh_token";
	request.refresh_token = TEXT(token);
	return exchange(tenant, request);
}

static const Auth__TokenReply *new_tokens(const struct world *world)
{
	Auth__AuthorizationRequest request = good_request();
	const Auth__TokenReply *reply =
		exchange(world->tenant, code_request(new_code(world, &request)));

	cr_assert_str_eq(reply->error, "", "%s", reply->error_description);
	return reply;
}

static void says(const Auth__TokenReply *reply, const char *error, const char *description)
{
	cr_expect_str_eq(reply->error, error, "%s (%s), not %s", reply->error,
		reply->error_description, error);
	cr_expect_str_eq(reply->error_description, description);
	cr_expect_str_eq(reply->access_token, "");
	cr_expect_str_eq(reply->refresh_token, "");
}

static const Auth__Introspection *check(const char *tenant, const char *token)
{
	Auth__CheckAccessRequest request = AUTH__CHECK_ACCESS_REQUEST__INIT;

	request.token = TEXT(token);
	return oauth(tenant, "CheckAccess", &request);
}

static void is_inactive(const char *tenant, const char *token, const char *why)
{
	const Auth__Introspection *reply = check(tenant, token);

	cr_expect(!reply->active);
	cr_expect_str_eq(reply->inactive, why, "%s, not %s", reply->inactive, why);
}

/* ---- the authorization endpoint ---- */

static void refused(
	const char *tenant, Auth__AuthorizationRequest request, const char *error, const char *text)
{
	const Auth__AuthorizationCheck *reply = oauth(tenant, "CheckAuthorization", &request);

	cr_expect_str_eq(reply->error, error, "%s (%s)", reply->error, reply->error_description);
	cr_expect_str_eq(reply->error_description, text);
}

Test(auth, an_authorization_request_is_checked_in_the_order_and_words_that_apps_know)
{
	const char *tenant = new_tenant("a")->id;
	static const char invalid[] = "invalid_request";
	static const struct {
		size_t offset;
		const char *value, *error, *text;
	} cases[] = {
#define CASE(member, value, error, text)                                                           \
	{ offsetof(Auth__AuthorizationRequest, member), value, error, text }
		CASE(client_id, "", invalid, "missing \"client_id\" parameter"),
		CASE(redirect_uri, "", invalid, "missing \"redirect_uri\" parameter"),
		CASE(response_type, "", invalid, "missing \"response_type\" parameter"),
		CASE(scope, "", invalid, "missing \"scope\" parameter"),
		CASE(state, "", invalid, "missing \"state\" parameter"),
		CASE(code_challenge_method, "", invalid,
			"missing \"code_challenge_method\" parameter"),
		CASE(code_challenge, "", invalid, "missing \"code_challenge\" parameter"),
		CASE(client_id, "caf\xc3\xa9", invalid, "invalid \"client_id\""),
		CASE(response_type, "token", "unsupported_response_type",
			"unsupported \"response_type\""),
		CASE(scope, "a  b", "invalid_scope", "invalid \"scope\""),
		CASE(scope, "other", "invalid_scope", "invalid \"scope\""),
		CASE(state, "caf\xc3\xa9", invalid, "invalid \"state\""),
		CASE(code_challenge_method, "plain", invalid, "invalid \"code_challenge_method\""),
		CASE(code_challenge, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c", invalid,
			"invalid \"code_challenge\""),
		CASE(code_challenge, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cMM", invalid,
			"invalid \"code_challenge\""),
		CASE(code_challenge, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM", invalid,
			"invalid \"code_challenge\""),
		CASE(client_id, "nobody", "invalid_client",
			"client does not exist with this \"client_id\""),
		CASE(redirect_uri, "http://localhost:5000/callback", "invalid_client",
			"client does not support this \"redirect_uri\""),
		CASE(state, "good", "", ""),
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		Auth__AuthorizationRequest request = good_request();

		*(char **)((char *)&request + cases[i].offset) = TEXT(cases[i].value);
		refused(tenant, request, cases[i].error, cases[i].text);
	}
}

Test(auth, only_a_signed_in_active_user_gets_a_code)
{
	struct world world = new_world("a");
	Auth__AuthorizationRequest authorization = good_request();
	Auth__AuthorizeRequest request = AUTH__AUTHORIZE_REQUEST__INIT;
	const char *other = new_tenant("b")->id;
	Auth__UpdateUserRequest blocked = block(world.user);

	request.request = &authorization;
	oauth_refuses(world.tenant, "Authorize", &request, ERR_UNAUTHENTICATED, "");
	request.sign_in = TEXT(world.browser);
	oauth_refuses(other, "Authorize", &request, ERR_UNAUTHENTICATED, "");
	oauth(world.tenant, "Authorize", &request);
	ask(world.tenant, "UpdateUser", &blocked);
	oauth_refuses(world.tenant, "Authorize", &request, ERR_PERMISSION_DENIED, "user");
}

/* ---- codes ---- */

Test(auth, a_code_gives_tokens_that_say_who_allowed_what_to_whom)
{
	struct world world = new_world("a");
	const Auth__TokenReply *reply = new_tokens(&world);
	struct token_claims claims = verify(reply->access_token);

	cr_assert_str_eq(reply->token_type, "bearer");
	cr_assert_eq(reply->expires_in, 3600);
	cr_assert_eq(claims.expires_at - claims.issued_at, 3600);
	cr_assert_str_eq(claims.client, APP);
	cr_assert_str_eq(claims.tenant, world.tenant);
	cr_assert_str_eq(claims.subject + strlen("user:"), world.user);
	cr_assert_eq(claims.n_scopes, 1);
	cr_assert_str_eq(claims.scopes[0], "config");
	cr_assert_str_neq(claims.authorization, "");
	cr_assert(check(world.tenant, reply->access_token)->active);
	is_inactive(new_tenant("b")->id, reply->access_token, "invalid");
}

Test(auth, a_code_is_good_once_for_ever)
{
	struct world world = new_world("a");
	Auth__AuthorizationRequest authorization = good_request();
	const char *code = new_code(&world, &authorization);
	const Auth__TokenReply *first = exchange(world.tenant, code_request(code));

	cr_assert_str_eq(first->error, "");
	for (int i = 0; i < 2; i++)
		says(exchange(world.tenant, code_request(code)), "invalid_grant",
			"\"authorization_code\" was used before");
	is_inactive(world.tenant, first->access_token, "ended");
	says(refresh(world.tenant, first->refresh_token), "invalid_grant",
		"\"refresh_token\" is no longer authorized");
	cr_assert_eq(fixture_sql(&fixture, &count_revoked), 1);
}

Test(auth, a_code_fits_only_its_own_request)
{
	struct world world = new_world("a");
	Auth__AuthorizationRequest authorization = good_request();
	const char *code = new_code(&world, &authorization);
	static const char unexpected_uri[] = "unexpected \"redirect_uri\"";
	static const struct {
		size_t offset;
		const char *value, *error, *text;
	} cases[] = {
#undef CASE
#define CASE(member, value, error, text)                                                           \
	{ offsetof(Auth__TokenRequest, member), value, error, text }
		CASE(grant_type, "", "invalid_request", "missing \"grant_type\" parameter"),
		CASE(grant_type, "password", "invalid_request", "invalid \"grant_type\""),
		CASE(code, "", "invalid_request", "missing \"code\" parameter"),
		CASE(redirect_uri, "", "invalid_request", "missing \"redirect_uri\" parameter"),
		CASE(client_id, "", "invalid_request", "missing \"client_id\" parameter"),
		CASE(code_verifier, "", "invalid_request", "missing \"code_verifier\" parameter"),
		CASE(code_verifier, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjX", "invalid_request",
			"invalid \"code_verifier\""),
		CASE(code_verifier, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl", "invalid_grant",
			"invalid \"code_verifier\""),
		CASE(redirect_uri, "http://127.0.0.1:5001/callback", "invalid_request",
			unexpected_uri),
		CASE(client_id, "org.eduvpn.app.windows", "invalid_request",
			"unexpected \"client_id\""),
		CASE(client_id, "nobody", "invalid_client",
			"client does not exist with this \"client_id\""),
		CASE(code, "lyc_AAAA", "invalid_grant",
			"\"authorization_code\" has invalid signature"),
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		Auth__TokenRequest request = code_request(code);

		*(char **)((char *)&request + cases[i].offset) = TEXT(cases[i].value);
		says(exchange(world.tenant, request), cases[i].error, cases[i].text);
	}
	says(exchange(new_tenant("b")->id, code_request(code)), "invalid_grant",
		"\"authorization_code\" has invalid signature");
	cr_assert_str_eq(exchange(world.tenant, code_request(code))->error, "");
}

SQL(age_codes, "UPDATE auth.oauth_code SET created_at = now() - interval '301 seconds'");

Test(auth, a_code_is_over_after_five_minutes)
{
	struct world world = new_world("a");
	Auth__AuthorizationRequest authorization = good_request();
	const char *code = new_code(&world, &authorization);

	fixture_sql(&fixture, &age_codes);
	says(exchange(world.tenant, code_request(code)), "invalid_grant",
		"\"authorization_code\" expired");
}

struct racer {
	const char *tenant;
	Auth__TokenRequest request;
	bool won;
};

static void *race(void *arg)
{
	struct racer *racer = arg;
	const ProtobufCMessage *reply;
	struct call call;
	err_t err = fixture_call(&fixture, &call, racer->tenant, &auth__oauth__descriptor,
		"ExchangeToken", &racer->request.base, &reply);

	racer->won = err == OK && *((const Auth__TokenReply *)reply)->access_token != '\0';
	call_finish(&call);
	return NULL;
}

Test(auth, of_fifty_exchanges_of_one_code_one_succeeds)
{
	struct world world = new_world("a");
	Auth__AuthorizationRequest authorization = good_request();
	const char *code = new_code(&world, &authorization);
	struct racer racers[RACERS];
	pthread_t threads[RACERS];
	int n_won = 0;

	for (size_t i = 0; i < RACERS; i++) {
		racers[i] = (struct racer){ world.tenant, code_request(code), false };
		pthread_create(&threads[i], NULL, race, &racers[i]);
	}
	for (size_t i = 0; i < RACERS; i++) {
		pthread_join(threads[i], NULL);
		n_won += racers[i].won;
	}
	cr_assert_eq(n_won, 1, "%d", n_won);
}

/* ---- refresh tokens ---- */

SQL(age_refresh_tokens, "UPDATE auth.oauth_refresh_token SET used_at ="
			" used_at - interval '31 seconds' WHERE used_at IS NOT NULL");
SQL(age_authorizations, "UPDATE auth.oauth_authorization SET expires_at = now()");

Test(auth, a_refresh_token_is_replaced_and_its_second_use_ends_all)
{
	struct world world = new_world("a");
	const Auth__TokenReply *first = new_tokens(&world);
	const Auth__TokenReply *second = refresh(world.tenant, first->refresh_token);

	cr_assert_str_eq(second->error, "", "%s", second->error_description);
	cr_assert_str_neq(second->refresh_token, first->refresh_token);
	cr_assert(check(world.tenant, first->access_token)->active);
	fixture_sql(&fixture, &age_refresh_tokens);
	says(refresh(world.tenant, first->refresh_token), "invalid_grant",
		"\"refresh_token\" was used before");
	is_inactive(world.tenant, second->access_token, "ended");
	says(refresh(world.tenant, second->refresh_token), "invalid_grant",
		"\"refresh_token\" is no longer authorized");
}

Test(auth, a_refresh_token_stays_where_that_is_set)
{
	struct world world;
	const Auth__TokenReply *first, *second;

	stop_all();
	for (size_t i = 0; i < ARRAY_LEN(services); i++)
		services[i] = start_auth_with("LANYARD_REFRESH_ROTATION=0");
	service_await(&fixture, "auth", ARRAY_LEN(services));
	world = new_world("a");
	first = new_tokens(&world);
	for (int i = 0; i < 2; i++) {
		second = refresh(world.tenant, first->refresh_token);
		cr_assert_str_eq(second->error, "", "%s", second->error_description);
		cr_assert_str_eq(second->refresh_token, "");
		cr_assert(check(world.tenant, second->access_token)->active);
	}
	cr_assert(check(world.tenant, first->access_token)->active);
}

Test(auth, a_reply_that_was_lost_can_be_had_again_until_its_token_is_used)
{
	struct world world = new_world("a");
	const Auth__TokenReply *first = new_tokens(&world);
	const Auth__TokenReply *lost = refresh(world.tenant, first->refresh_token);
	const Auth__TokenReply *again = refresh(world.tenant, first->refresh_token);

	cr_assert_str_eq(again->error, "", "%s", again->error_description);
	cr_assert_str_neq(again->refresh_token, lost->refresh_token);
	cr_assert_str_eq(refresh(world.tenant, again->refresh_token)->error, "");
	says(refresh(world.tenant, first->refresh_token), "invalid_grant",
		"\"refresh_token\" was used before");
}

Test(auth, who_stole_a_lost_reply_is_found_out)
{
	struct world world = new_world("a");
	const Auth__TokenReply *first = new_tokens(&world);
	const Auth__TokenReply *stolen = refresh(world.tenant, first->refresh_token);
	const Auth__TokenReply *again = refresh(world.tenant, first->refresh_token);

	says(refresh(world.tenant, stolen->refresh_token), "invalid_grant",
		"\"refresh_token\" was used before");
	is_inactive(world.tenant, again->access_token, "ended");
}

Test(auth, a_refresh_is_refused_for_another_scope_kind_of_token_or_time)
{
	struct world world = new_world("a");
	const Auth__TokenReply *tokens = new_tokens(&world);
	Auth__TokenRequest request = AUTH__TOKEN_REQUEST__INIT;

	request.grant_type = "refresh_token";
	says(exchange(world.tenant, request), "invalid_request",
		"missing \"refresh_token\" parameter");
	request.refresh_token = tokens->refresh_token;
	request.scope = "other";
	says(exchange(world.tenant, request), "invalid_request", "unexpected \"scope\"");
	says(refresh(world.tenant, tokens->access_token), "invalid_grant",
		"\"refresh_token\" has invalid signature");
	says(exchange(world.tenant, code_request(tokens->refresh_token)), "invalid_grant",
		"\"authorization_code\" has invalid signature");
	is_inactive(world.tenant, tokens->refresh_token, "invalid");
	fixture_sql(&fixture, &age_authorizations);
	says(refresh(world.tenant, tokens->refresh_token), "invalid_grant",
		"\"refresh_token\" expired");
	is_inactive(world.tenant, tokens->access_token, "ended");
}

static void set_blocked_users(const char *tenant, const char *what)
{
	Auth__UpdateSignInPolicyRequest request = AUTH__UPDATE_SIGN_IN_POLICY_REQUEST__INIT;

	request.set_blocked_users_case =
		AUTH__UPDATE_SIGN_IN_POLICY_REQUEST__SET_BLOCKED_USERS_BLOCKED_USERS;
	request.blocked_users = TEXT(what);
	oauth(tenant, "UpdateSignInPolicy", &request);
}

Test(auth, a_blocked_user_gets_no_token_where_that_is_closed)
{
	struct world world = new_world("a");
	const Auth__TokenReply *tokens = new_tokens(&world);
	Auth__UpdateUserRequest blocked = block(world.user);

	set_blocked_users(world.tenant, "closed");
	ask(world.tenant, "UpdateUser", &blocked);
	says(refresh(world.tenant, tokens->refresh_token), "invalid_grant",
		"\"refresh_token\" is no longer authorized");
	is_inactive(world.tenant, tokens->access_token, "ended");
	blocked.state = "active";
	ask(world.tenant, "UpdateUser", &blocked);
	cr_assert(check(world.tenant, tokens->access_token)->active);
	cr_assert_str_eq(refresh(world.tenant, tokens->refresh_token)->error, "");
}

Test(auth, an_app_of_a_blocked_user_is_told_so_where_that_is_open)
{
	struct world world = new_world("a");
	const Auth__TokenReply *tokens = new_tokens(&world), *more;
	Auth__UpdateUserRequest blocked = block(world.user);

	ask(world.tenant, "UpdateUser", &blocked);
	is_inactive(world.tenant, tokens->access_token, "blocked");
	more = refresh(world.tenant, tokens->refresh_token);
	cr_assert_str_eq(more->error, "");
	is_inactive(world.tenant, more->access_token, "blocked");
	blocked.state = "active";
	ask(world.tenant, "UpdateUser", &blocked);
	cr_assert(check(world.tenant, more->access_token)->active);
}

/* ---- clients ---- */

static const Auth__OauthClient *new_client(const char *tenant)
{
	Auth__CreateOauthClientRequest request = AUTH__CREATE_OAUTH_CLIENT_REQUEST__INIT;
	char *uris[] = { "https://app.example.org/back" };
	char *scopes[] = { "networks:read", "devices:read" };

	request.client_id = "dashboard";
	request.name = "Dashboard";
	request.redirect_uris = uris;
	request.n_redirect_uris = 1;
	request.scopes = scopes;
	request.n_scopes = ARRAY_LEN(scopes);
	request.confidential = true;
	return oauth(tenant, "CreateOauthClient", &request);
}

Test(auth, a_confidential_client_shows_its_secret)
{
	struct world world = new_world("a");
	const Auth__OauthClient *client = new_client(world.tenant);
	Auth__AuthorizationRequest authorization = AUTH__AUTHORIZATION_REQUEST__INIT;
	Auth__TokenRequest request = AUTH__TOKEN_REQUEST__INIT;
	const Auth__TokenReply *tokens;
	struct token_claims claims;

	authorization.client_id = request.client_id = "dashboard";
	authorization.redirect_uri = request.redirect_uri = "https://app.example.org/back";
	authorization.response_type = "code";
	authorization.scope = "devices:read";
	authorization.state = "s";
	request.grant_type = "authorization_code";
	request.code = TEXT(new_code(&world, &authorization));
	says(exchange(world.tenant, request), "invalid_client",
		"invalid credentials (expected HTTP Basic with the client's secret)");
	request.basic_user = "dashboard";
	request.basic_password = client->client_secret;
	tokens = exchange(world.tenant, request);
	cr_assert_str_eq(tokens->error, "", "%s", tokens->error_description);
	claims = verify(tokens->access_token);
	cr_assert_eq(claims.n_scopes, 1);
	cr_assert_str_eq(claims.scopes[0], "devices:read");
	says(refresh(world.tenant, tokens->refresh_token), "invalid_client",
		"invalid credentials (expected HTTP Basic with the client's secret)");
}

Test(auth, what_a_client_was_allowed_ends_with_it)
{
	struct world world = new_world("a");
	Auth__CreateOauthClientRequest request = AUTH__CREATE_OAUTH_CLIENT_REQUEST__INIT;
	char *uris[] = { REDIRECT };
	Auth__AuthorizationRequest authorization = good_request();
	Auth__TokenRequest exchange_request;
	const Auth__TokenReply *tokens;
	Auth__Ref id;

	request.client_id = authorization.client_id = "mine";
	request.name = "Mine";
	request.redirect_uris = uris;
	request.n_redirect_uris = 1;
	id = ref(((const Auth__OauthClient *)oauth(world.tenant, "CreateOauthClient", &request))
			 ->id);
	exchange_request = code_request(new_code(&world, &authorization));
	exchange_request.client_id = "mine";
	tokens = exchange(world.tenant, exchange_request);
	cr_assert(check(world.tenant, tokens->access_token)->active);
	oauth(world.tenant, "DeleteOauthClient", &id);
	is_inactive(world.tenant, tokens->access_token, "client");
	cr_assert_eq(fixture_sql(&fixture, &count_revoked), 1);
	request.client_id = APP;
	oauth_refuses(world.tenant, "CreateOauthClient", &request, ERR_ALREADY_EXISTS, "client_id");
	request.client_id = "other";
	uris[0] = "http://example.org/";
	oauth_refuses(
		world.tenant, "CreateOauthClient", &request, ERR_INVALID_ARGUMENT, "redirect_uris");
}

Test(auth, only_owners_make_clients_that_nobody_is_asked_about)
{
	const char *tenant = new_tenant("a")->id;
	Auth__CreateOauthClientRequest request = AUTH__CREATE_OAUTH_CLIENT_REQUEST__INIT;
	char admin[64], owner[64];

	snprintf(admin, sizeof(admin), "user:%s", new_user(tenant, "adam", "admin")->id);
	snprintf(owner, sizeof(owner), "user:%s", new_user(tenant, "olga", "owner")->id);
	request.client_id = request.name = "mine";
	request.trusted = true;
	refuse_of(&auth__oauth__descriptor, admin, tenant, "CreateOauthClient", &request,
		ERR_PERMISSION_DENIED, "trusted");
	ask_of(&auth__oauth__descriptor, owner, tenant, "CreateOauthClient", &request);
	request.client_id = request.name = "other";
	request.trusted = false;
	ask_of(&auth__oauth__descriptor, admin, tenant, "CreateOauthClient", &request);
}

Test(auth, a_program_gets_a_token_for_its_api_key)
{
	const char *tenant = new_tenant("a")->id;
	const Auth__ApiKey *key = new_api_key(tenant, "program", "operator");
	Auth__TokenRequest request = AUTH__TOKEN_REQUEST__INIT;
	const Auth__TokenReply *reply;

	request.grant_type = "client_credentials";
	request.basic_user = key->id;
	request.basic_password = key->secret;
	reply = exchange(tenant, request);
	cr_assert_str_eq(reply->error, "", "%s", reply->error_description);
	cr_assert_str_eq(verify(reply->access_token).role, "operator");
	cr_assert_str_eq(reply->refresh_token, "");
	cr_assert_str_eq(exchange(new_tenant("b")->id, request)->error, "invalid_client");
	request.basic_password = "lyk_false";
	cr_assert_str_eq(exchange(tenant, request)->error, "invalid_client");
}

/* ---- authorizations ---- */

Test(auth, a_person_sees_and_ends_what_she_allowed)
{
	struct world world = new_world("a");
	const Auth__TokenReply *tokens = new_tokens(&world);
	Auth__ListAuthorizationsRequest list = AUTH__LIST_AUTHORIZATIONS_REQUEST__INIT;
	const Auth__AuthorizationList *page;
	Auth__OwnRef id = AUTH__OWN_REF__INIT;

	list.user = TEXT(world.user);
	page = oauth(world.tenant, "ListAuthorizations", &list);
	cr_assert_eq(page->n_items, 1);
	cr_assert_str_eq(page->items[0]->client_name, "eduVPN for Linux");
	id.id = page->items[0]->id;
	oauth_refuses(new_tenant("b")->id, "EndAuthorization", &id, ERR_NOT_FOUND, "id");
	oauth(world.tenant, "EndAuthorization", &id);
	is_inactive(world.tenant, tokens->access_token, "ended");
	oauth_refuses(world.tenant, "EndAuthorization", &id, ERR_NOT_FOUND, "id");
	page = oauth(world.tenant, "ListAuthorizations", &list);
	cr_assert_eq(page->n_items, 0);
}

Test(auth, a_client_gives_back_its_own_tokens_only)
{
	struct world world = new_world("a");
	const Auth__TokenReply *tokens = new_tokens(&world);
	Auth__RevokeTokenRequest request = AUTH__REVOKE_TOKEN_REQUEST__INIT;

	request.token = tokens->refresh_token;
	request.client_id = "org.eduvpn.app.windows";
	oauth(world.tenant, "RevokeToken", &request);
	cr_assert(check(world.tenant, tokens->access_token)->active);
	request.client_id = APP;
	oauth(world.tenant, "RevokeToken", &request);
	is_inactive(world.tenant, tokens->access_token, "ended");
	request.token = "nonsense";
	oauth(world.tenant, "RevokeToken", &request);
}

Test(auth, only_who_has_a_secret_may_introspect)
{
	struct world world = new_world("a");
	const Auth__TokenReply *tokens = new_tokens(&world);
	const Auth__ApiKey *key = new_api_key(world.tenant, "k", "auditor");
	Auth__IntrospectRequest request = AUTH__INTROSPECT_REQUEST__INIT;
	const Auth__Introspection *reply;

	request.token = tokens->access_token;
	request.basic_user = APP;
	reply = oauth(world.tenant, "IntrospectToken", &request);
	cr_assert_str_eq(reply->error, "invalid_client");
	cr_assert(!reply->active);
	request.basic_user = key->id;
	request.basic_password = key->secret;
	reply = oauth(world.tenant, "IntrospectToken", &request);
	cr_assert(reply->active);
	cr_assert_str_eq(reply->username, "ann");
	cr_assert_str_eq(reply->scope, "config");
	cr_assert_str_eq(reply->client_id, APP);
	request.token = "nonsense";
	cr_assert(!((const Auth__Introspection *)oauth(world.tenant, "IntrospectToken", &request))
			   ->active);
}

Test(auth, a_token_of_the_role_before_is_not_good_any_more)
{
	struct world world = new_world("a");
	const Auth__TokenReply *tokens = new_tokens(&world);
	Auth__UpdateUserRequest promoted = AUTH__UPDATE_USER_REQUEST__INIT;
	char subject[64];
	Auth__SignTokenRequest sign = sign_request(subject);
	const Auth__Token *plain;

	snprintf(subject, sizeof(subject), "user:%s", world.user);
	sign.role = "member";
	plain = ask(world.tenant, "SignToken", &sign);
	cr_assert(check(world.tenant, plain->access_token)->active);
	promoted.id = TEXT(world.user);
	promoted.set_role_case = AUTH__UPDATE_USER_REQUEST__SET_ROLE_ROLE;
	promoted.role = "operator";
	ask(world.tenant, "UpdateUser", &promoted);
	is_inactive(world.tenant, plain->access_token, "ended");
	is_inactive(world.tenant, tokens->access_token, "ended");
	tokens = refresh(world.tenant, tokens->refresh_token);
	cr_assert(check(world.tenant, tokens->access_token)->active);
	cr_assert_str_eq(check(world.tenant, tokens->access_token)->role, "operator");
}

/* ---- device codes ---- */

SQL(unpoll, "UPDATE auth.oauth_device_code SET polled_at = NULL");

static const Auth__DeviceAuthorization *new_device_code(const char *tenant)
{
	Auth__DeviceAuthorizationRequest request = AUTH__DEVICE_AUTHORIZATION_REQUEST__INIT;

	request.client_id = APP;
	request.scope = "config";
	return oauth(tenant, "AuthorizeDevice", &request);
}

static const Auth__TokenReply *poll(const char *tenant, const char *code)
{
	Auth__TokenRequest request = AUTH__TOKEN_REQUEST__INIT;

	request.grant_type = "urn:ietf:params:oauth:grant-type:device_code";
	request.client_id = APP;
	request.device_code = TEXT(code);
	return exchange(tenant, request);
}

static void decide(const struct world *world, const char *user_code, bool approve)
{
	Auth__DecideUserCodeRequest request = AUTH__DECIDE_USER_CODE_REQUEST__INIT;

	request.user_code = TEXT(user_code);
	request.sign_in = TEXT(world->browser);
	request.approve = approve;
	oauth(world->tenant, "DecideUserCode", &request);
}

Test(auth, a_device_without_a_browser_waits_for_its_person)
{
	struct world world = new_world("a");
	const Auth__DeviceAuthorization *code = new_device_code(world.tenant);
	Auth__UserCodeRequest look = AUTH__USER_CODE_REQUEST__INIT;
	const Auth__UserCodeCheck *seen;

	says(poll(world.tenant, code->device_code), "authorization_pending",
		"the user has not decided yet");
	says(poll(world.tenant, code->device_code), "slow_down",
		"asked before the interval was over");
	look.user_code = code->user_code;
	seen = oauth(world.tenant, "CheckUserCode", &look);
	cr_assert_str_eq(seen->client_name, "eduVPN for Linux");
	decide(&world, code->user_code, true);
	oauth_refuses(world.tenant, "CheckUserCode", &look, ERR_NOT_FOUND, "user_code");
	fixture_sql(&fixture, &unpoll);
	cr_assert_str_eq(poll(world.tenant, code->device_code)->error, "");
	says(poll(world.tenant, code->device_code), "invalid_grant",
		"\"device_code\" was used before");
	code = new_device_code(world.tenant);
	decide(&world, code->user_code, false);
	says(poll(world.tenant, code->device_code), "access_denied", "the user refused");
}

/* ---- sites and sign-ins ---- */

Test(auth, a_host_belongs_to_one_tenant)
{
	const char *a = new_tenant("a")->id, *b = new_tenant("b")->id;
	Auth__CreateSiteRequest request = AUTH__CREATE_SITE_REQUEST__INIT;
	Auth__FindSiteRequest find = AUTH__FIND_SITE_REQUEST__INIT;
	Auth__UpdateTenantRequest suspend = AUTH__UPDATE_TENANT_REQUEST__INIT;

	request.name = find.host = "vpn.example.org";
	oauth(a, "CreateSite", &request);
	oauth_refuses(b, "CreateSite", &request, ERR_ALREADY_EXISTS, "name");
	cr_assert_str_eq(
		((const Auth__SiteTenant *)oauth(CALL_FLEET, "FindSite", &find))->tenant, a);
	request.name = "VPN.example.org:443";
	oauth_refuses(b, "CreateSite", &request, ERR_INVALID_ARGUMENT, "name");
	suspend.set_state_case = AUTH__UPDATE_TENANT_REQUEST__SET_STATE_STATE;
	suspend.state = "suspended";
	ask(a, "UpdateTenant", &suspend);
	oauth_refuses(CALL_FLEET, "FindSite", &find, ERR_NOT_FOUND, "host");
}

Test(auth, a_sign_in_ends_when_the_person_says_so)
{
	struct world world = new_world("a");
	Auth__SignInRef who = AUTH__SIGN_IN_REF__INIT;
	Auth__SignInRequest request = AUTH__SIGN_IN_REQUEST__INIT;
	const Auth__SignIn *person;

	who.secret = TEXT(world.browser);
	person = oauth(world.tenant, "GetSignIn", &who);
	cr_assert_str_eq(person->user, "ann");
	cr_assert_str_eq(person->address, "192.0.2.1");
	oauth_refuses(new_tenant("b")->id, "GetSignIn", &who, ERR_UNAUTHENTICATED, "");
	oauth(world.tenant, "DeleteSignIn", &who);
	oauth_refuses(world.tenant, "GetSignIn", &who, ERR_UNAUTHENTICATED, "");
	request.user = "ann";
	request.password = "wrong horse battery";
	person = oauth(world.tenant, "CreateSignIn", &request);
	cr_assert_str_eq(person->error, "wrong");
	cr_assert_str_eq(person->secret, "");
	request.user = "nobody";
	person = oauth(world.tenant, "CreateSignIn", &request);
	cr_assert_str_eq(person->error, "wrong");
	cr_assert_str_eq(person->secret, "");
}
