/*
 * auth for real as an authorization server: authorization requests, codes and refresh tokens
 * (contract app-api, statements 11 to 42).
 */
#include "tests/component/oauth_fixture.h"

#include <pthread.h>

#define RACERS 50

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
