/*
 * auth for real as an authorization server: clients and what they were allowed, which tokens are
 * good, and device codes (contract app-api, statements 40 to 44).
 */
#include "tests/component/oauth_fixture.h"

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
	Auth__OwnListRequest list = AUTH__OWN_LIST_REQUEST__INIT;
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

/* A token without OAuth, as a password or a device's secret brings. */
static const char *plain_token(const char *tenant, const char *kind, const char *id)
{
	char subject[64] = "";
	Auth__SignTokenRequest sign = sign_request(subject);

	snprintf(subject, sizeof(subject), "%s:%s", kind, id);
	sign.role = "member";
	return ((const Auth__Token *)ask(tenant, "SignToken", &sign))->access_token;
}

/* A token of the second of a change is void like those of before. */
static void next_second(void)
{
	int64_t now_s = clock_unix_ms() / 1000;

	AWAIT(clock_unix_ms() / 1000 > now_s);
}

static Auth__UpdateUserRequest promotion(const char *user)
{
	Auth__UpdateUserRequest request = AUTH__UPDATE_USER_REQUEST__INIT;

	request.id = TEXT(user);
	request.set_role_case = AUTH__UPDATE_USER_REQUEST__SET_ROLE_ROLE;
	request.role = "operator";
	return request;
}

static Auth__UpdateUserRequest new_password(const char *user)
{
	Auth__UpdateUserRequest request = AUTH__UPDATE_USER_REQUEST__INIT;

	request.id = TEXT(user);
	request.set_password_case = AUTH__UPDATE_USER_REQUEST__SET_PASSWORD_PASSWORD;
	request.password = "battery horse correct";
	return request;
}

Test(auth, tokens_of_before_a_new_role_or_password_are_not_good_any_more)
{
	struct world world = new_world("a");
	const Auth__UpdateUserRequest changes[] = { promotion(world.user),
		new_password(world.user) };

	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		const Auth__TokenReply *tokens = new_tokens(&world);
		const char *plain = plain_token(world.tenant, "user", world.user);

		cr_assert(check(world.tenant, plain)->active);
		ask(world.tenant, "UpdateUser", &changes[i]);
		is_inactive(world.tenant, plain, "ended");
		is_inactive(world.tenant, tokens->access_token, "ended");
		next_second();
		tokens = refresh(world.tenant, tokens->refresh_token);
		cr_assert(check(world.tenant, tokens->access_token)->active);
		cr_assert_str_eq(check(world.tenant, tokens->access_token)->role, "operator");
		plain = plain_token(world.tenant, "user", world.user);
		cr_assert(check(world.tenant, plain)->active);
		world.browser =
			sign_in_with(world.tenant, "ann", i == 0 ? PASSWORD : changes[i].password)
				->secret;
	}
}

Test(auth, a_person_who_changes_the_password_ends_the_tokens_of_before)
{
	struct world world = new_world("a");
	Auth__ChangePasswordRequest request = AUTH__CHANGE_PASSWORD_REQUEST__INIT;
	const Auth__TokenReply *tokens = new_tokens(&world);
	const Auth__ChangePasswordReply *reply;

	request.sign_in = TEXT(world.browser);
	request.password = PASSWORD;
	request.new_password = "battery horse correct";
	reply = oauth(world.tenant, "ChangePassword", &request);
	cr_assert_str_eq(reply->error, "", "%s", reply->error_description);
	is_inactive(world.tenant, tokens->access_token, "ended");
}

Test(auth, what_a_stolen_token_opened_stays_shut_while_and_after_its_user_is_blocked)
{
	struct world world = new_world("a");
	const Auth__TokenReply *stolen = new_tokens(&world);
	Auth__UpdateUserRequest blocked = block(world.user), renewed = new_password(world.user);

	ask(world.tenant, "UpdateUser", &renewed);
	ask(world.tenant, "UpdateUser", &blocked);
	is_inactive(world.tenant, stolen->access_token, "ended");
	blocked.state = "active";
	ask(world.tenant, "UpdateUser", &blocked);
	is_inactive(world.tenant, stolen->access_token, "ended");
}

Test(auth, tokens_of_before_a_suspension_are_not_good_any_more)
{
	const char *tenant = new_tenant("a")->id, *token;
	Auth__RevokeRequest revoke = AUTH__REVOKE_REQUEST__INIT;
	Auth__UpdateTenantRequest state = AUTH__UPDATE_TENANT_REQUEST__INIT;

	new_device_secret(tenant, DEVICE);
	token = plain_token(tenant, "device", DEVICE);
	cr_assert(check(tenant, token)->active);
	revoke.subject = "device:" DEVICE;
	revoke.suspend = true;
	ask(tenant, "Revoke", &revoke);
	is_inactive(tenant, token, "ended");
	next_second();
	token = plain_token(tenant, "device", DEVICE);
	cr_assert(check(tenant, token)->active);
	state.set_state_case = AUTH__UPDATE_TENANT_REQUEST__SET_STATE_STATE;
	state.state = "suspended";
	ask(tenant, "UpdateTenant", &state);
	is_inactive(tenant, token, "ended");
	state.state = "active";
	ask(tenant, "UpdateTenant", &state);
	is_inactive(tenant, token, "ended");
	next_second();
	cr_assert(check(tenant, plain_token(tenant, "device", DEVICE))->active);
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
